"""SQL of address matching as migration 0005 creates it and 0018 mends it (地址匹配): one writing, parts, candidates with a score.

The same functions normalize stored and asked addresses, so that no second implementation can disagree with them.
"""

CHINESE_NUMBER = """
CREATE FUNCTION basedb_chinese_number(word text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
  total integer := 0;
  digit integer;
  seen integer := NULL;
  letter text;
BEGIN
  IF word !~ '[十百千]' THEN RETURN translate(word, '零〇一二两三四五六七八九', '001223456789'); END IF;
  FOREACH letter IN ARRAY regexp_split_to_array(word, '') LOOP
    IF letter = '十' THEN total := total + coalesce(seen, 1) * 10; seen := NULL;
    ELSIF letter = '百' THEN total := total + coalesce(seen, 1) * 100; seen := NULL;
    ELSIF letter = '千' THEN total := total + coalesce(seen, 1) * 1000; seen := NULL;
    ELSE
      digit := translate(letter, '零〇一二两三四五六七八九', '001223456789')::integer;
      seen := CASE WHEN digit = 0 THEN seen ELSE digit END;
    END IF;
  END LOOP;
  RETURN (total + coalesce(seen, 0))::text;
END $$
"""

NORMALIZE = """
CREATE FUNCTION basedb_normalize_address(raw text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
  kept text;
  found text[];
BEGIN
  kept := upper(translate(normalize(raw, NFKC), '—–−‐~～', '------'));
  kept := regexp_replace(kept, '\\([^)]*\\)|\\[[^]]*\\]', '', 'g');
  kept := regexp_replace(kept, '[[:space:],，.。、;；:：''"“”·]', '', 'g');
  kept := regexp_replace(kept, '^中国', '');
  kept := regexp_replace(kept, '第([零〇一二两三四五六七八九十百0-9]+)(栋|幢|单元|号楼)', '\\1\\2', 'g');
  FOR found IN SELECT m FROM (SELECT DISTINCT m FROM regexp_matches(
    kept, '([零〇一二两三四五六七八九十百千]+)(号|弄|栋|幢|单元|室|楼|层|座|组|房|户|支弄|期)', 'g') m) n
    ORDER BY length(m[1]) DESC
  LOOP -- the longest first: 一号 is the end of 二十一号, too
    kept := replace(kept, found[1] || found[2], basedb_chinese_number(found[1]) || found[2]);
  END LOOP;
  kept := regexp_replace(kept, '([甲乙丙丁])单元', '#\\1', 'g');
  kept := replace(replace(replace(replace(kept, '#甲', '1单元'), '#乙', '2单元'), '#丙', '3单元'), '#丁', '4单元');
  kept := regexp_replace(kept, '([0-9A-Z]+)(?:号楼|幢|#楼?|座)', '\\1栋', 'g');
  found := regexp_match(kept, '(栋|单元)([零〇一二两三四五六七八九十百]+)$');
  IF found IS NOT NULL THEN
    kept := left(kept, -length(found[2])) || basedb_chinese_number(found[2]);
  END IF;
  kept := regexp_replace(kept, '(栋|单元)([0-9]+)(?:号房|号|房|户)?$', '\\1\\2室');
  kept := regexp_replace(kept, '([0-9]+)(?:号房|房|户)$', '\\1室');
  kept := regexp_replace(kept, '([号区园苑城院庄庭府里村])([0-9]+)-([0-9]+)-([0-9]+)室?$', '\\1\\2栋\\3单元\\4室');
  kept := regexp_replace(kept, '([号区园苑城院庄庭府里村])([0-9]+)-([0-9]+)室?$', '\\1\\2栋\\3室');
  RETURN regexp_replace(kept, '(^|[^0-9])0+([0-9])', '\\1\\2', 'g');
END $$
"""

# Detail: the address from its road on. The marks of divisions are cut one by one, each at the first of its kind.
DETAIL = """
CREATE FUNCTION basedb_address_detail(normalized text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
  kept text := normalized;
BEGIN
  kept := regexp_replace(kept, '^[^省市区县路街号]{1,10}(?:省|自治区)', '');
  kept := regexp_replace(kept, '^[^省市区县路街号]{1,10}(?:市|自治州|地区|盟)', '');
  kept := regexp_replace(kept, '^市?[^市区县旗路街号小社园]{1,10}(?:开发区|新区|区|县|旗|市)', '');
  kept := regexp_replace(kept, '^[^街镇乡路号]{1,10}(?:街道办事处|街道|镇|乡)(?=.)', '');
  RETURN regexp_replace(kept, '^[^社村路街号]{1,10}(?:社区|村委会|居委会)', '');
END $$
"""

# What candidates are sought by: the detail with its parts as words, so that a door is found whatever follows it.
WORDS = """
CREATE FUNCTION basedb_address_words(raw text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT btrim(regexp_replace(regexp_replace(basedb_address_detail(basedb_normalize_address(raw)),
    '(大道|路|街|巷|弄|道|胡同|里|号|栋|单元|室)', '\\1 ', 'g'), '([^0-9A-Z ])([0-9A-Z])', '\\1 \\2', 'g'))
$$
"""

PARTS = """
CREATE FUNCTION basedb_address_parts(normalized text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
  detail text := basedb_address_detail(normalized);
BEGIN
  RETURN jsonb_strip_nulls(jsonb_build_object(
    'county', substring(normalized from '(?:^|[省市州盟])(市?[^省市区县旗路街号小社园]{1,10}(?:区|县|旗))'),
    'road', substring(detail from '^([^0-9号栋]{0,16}(?:大道|路|街|巷|弄|道|胡同|里|村|庄))'),
    'lane', substring(detail from '([0-9]+)弄'),
    'door', substring(detail from '([0-9]+(?:-[0-9]+)?)号'),
    'building', substring(detail from '([0-9A-Z]+)栋'),
    'unit', substring(detail from '([0-9A-Z]+)单元'),
    'room', substring(detail from '([0-9A-Z]+)室')));
END $$
"""

# A part that says something else costs more than one that says nothing; another road or door is another address.
SCORE = """
CREATE FUNCTION basedb_address_score(asked text, stored text) RETURNS numeric LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
  a jsonb := basedb_address_parts(asked);
  b jsonb := basedb_address_parts(stored);
  weights jsonb := '{"road": 30, "lane": 10, "door": 30, "building": 14, "unit": 6, "room": 10}';
  part text;
  weight integer;
  reached numeric := 0;
  possible numeric := 0;
  another boolean := false;
  alike numeric := greatest(word_similarity(basedb_address_detail(asked), stored),
    similarity(basedb_address_detail(asked), basedb_address_detail(stored)));
BEGIN
  FOR part, weight IN SELECT key, value::text::integer FROM jsonb_each(weights) LOOP
    IF a ? part THEN
      possible := possible + weight;
      IF a ->> part = b ->> part THEN reached := reached + weight;
      ELSIF part IN ('road', 'lane', 'door') THEN another := true;
      END IF;
    ELSIF b ? part THEN
      possible := possible + weight / 4.0;
    END IF;
  END LOOP;
  IF a ? 'county' AND b ? 'county' AND a ->> 'county' <> b ->> 'county' THEN another := true; END IF;
  IF possible = 0 THEN RETURN round(0.6 * alike, 3); END IF;
  RETURN round(CASE WHEN another THEN 0.5 ELSE 1 END * (0.25 * alike + 0.75 * reached / possible), 3);
END $$
"""

MATCH = """
CREATE FUNCTION basedb_match_address(raw text, division text, most integer) RETURNS TABLE (address_id bigint, score numeric)
LANGUAGE sql STABLE STRICT AS $$
  WITH asked AS MATERIALIZED (
    SELECT basedb_normalize_address(raw) AS whole, basedb_address_words(raw) AS words,
      coalesce(substring(basedb_address_words(raw) from '^.*?[0-9]号'), basedb_address_words(raw)) AS head),
  near AS (
    SELECT a.id, a.normalized FROM asked, basedb_address a
    WHERE asked.head <% a.words AND a.withdrawn_at IS NULL AND a.address_state = '1'
      AND starts_with(a.region_code, basedb_match_address.division)
    ORDER BY word_similarity(asked.head, a.words) DESC, similarity(asked.words, a.words) DESC, a.id LIMIT 60)
  SELECT n.id, s.score FROM asked, near n, LATERAL (SELECT basedb_address_score(asked.whole, n.normalized) AS score) s
  ORDER BY s.score DESC, n.id LIMIT most
$$
"""
