"""Catalogue codes: what the grammar accepts, and that writing and reading are inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.codes import BASE_DATABASE_ITEMS, ResourceClass, ResourceCode, code_valid, format_code, parse_code, prefix_valid


def digits(low: int, high: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=low, max_size=high)


codes = st.builds(
    ResourceCode,
    resource_class=st.sampled_from(ResourceClass),
    item=digits(2, 2),
    category=digits(3, 3),
    detail=digits(0, 6),
    sequence=st.integers(1, 10**9),
)


def test_parts_are_read() -> None:
    code = parse_code("307011024701/000123")
    assert (code.resource_class, code.item, code.category, code.detail) == (ResourceClass.DEPARTMENT, "07", "011", "024701")
    assert (code.prefix, code.sequence) == ("307011024701", 123)


@given(codes)
def test_writing_and_reading_are_inverse(code: ResourceCode) -> None:
    assert parse_code(str(code)) == code
    assert format_code(code.prefix, code.sequence) == str(code)
    assert code_valid(str(code))
    assert prefix_valid(code.prefix)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "217001",
        "217001/",
        "217001/12345",
        "417001/123456",
        "017001/123456",
        "21700/123456",
        "217001/12345a",
        "217001//123456",
        " 217001/123456",
        "217001/123456\n",
        "２17001/123456",
        "217001/000000",
        "217001/0123456",
    ],
)
def test_texts_outside_the_grammar_are_refused(text: str) -> None:
    assert not code_valid(text)


@given(st.text("0123456789/", max_size=20))
def test_only_codes_that_read_back_are_valid(text: str) -> None:
    assert not code_valid(text) or str(parse_code(text)) == text


@pytest.mark.parametrize("prefix", ["", "1", "10100", "401001", "101001/", "101001\n"])
def test_broken_front_parts_are_refused(prefix: str) -> None:
    assert not prefix_valid(prefix)
    with pytest.raises(ValueError, match="catalogue code"):
        format_code(prefix, 1)


def test_broken_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="catalogue code"):
        ResourceCode(resource_class=ResourceClass.BASE, item="1", category="0010", sequence=1)
    with pytest.raises(ValueError, match="catalogue code"):
        format_code("101001", 0)
    with pytest.raises(ValueError, match="catalogue code"):
        format_code("101001", -5)


def test_base_databases_are_numbered_in_the_order_of_the_guide() -> None:
    assert list(BASE_DATABASE_ITEMS.values()) == ["01", "02", "03", "04", "05"]
