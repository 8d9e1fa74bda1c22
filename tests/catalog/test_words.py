"""Words: what is typed finds every text that contains it."""

from hypothesis import given
from hypothesis import strategies as st

from catalog import words

HAN = st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=12)


@given(HAN, HAN, HAN)
def test_every_pair_of_neighbours_is_a_lexeme(before: str, inside: str, after: str) -> None:
    lexemes = set(words.bigrams(before + inside + after))
    assert {inside[i : i + 2] for i in range(len(inside) - 1)} <= lexemes


@given(st.text(max_size=200))
def test_any_text_gives_safe_literals(text: str) -> None:
    query = words.query(text)
    assert query.count("'") % 2 == 0
    assert set(words.vector([("A", words.words(text)), ("D", words.bigrams(text))])) <= set(
        "' ,:ABCD0123456789abcdefghijklmnopqrstuvwxyz"
    ) | {c for c in words.normal(text) if words.RUN.fullmatch(c)}


def test_punctuation_and_spaces_ask_for_nothing() -> None:
    assert words.query("") == words.query("  ，。!&|':*()<->") == ""


def test_width_and_case_do_not_matter() -> None:
    assert words.query("ＧＢ") == words.query("gb") == "'gb':*"


def test_synonyms_are_alternatives() -> None:
    assert "社会保险" in words.query("社保")
    assert "社会保险" in words.terms("社保")


def test_a_lexeme_keeps_one_place_for_each_weight() -> None:
    assert words.vector([("A", ["人口", "人口"]), ("D", ["人口"])]) == "'人口':1A,3D"
