--
-- All that a server counts itself.  Instructions are counted afterwards.
--
\set ON_ERROR_STOP on

CALL measure_build('sift');
CALL measure_build('mnist');
CALL measure_build('clusters');

-- Filled by INSERT alone, the first row into an empty index.
CREATE INDEX grown_idx ON grown USING diskann (v);
INSERT INTO grown SELECT id, v FROM sift WHERE id < 2000 ORDER BY id;

CALL measure_queries('sift');
CALL measure_queries('mnist');
CALL measure_queries('clusters');
CALL measure_queries('grown');

INSERT INTO figures (set_name, measure, value)
	SELECT name, 'bytes of the index', pg_relation_size(name || '_idx')
	FROM sets;

CALL measure_insert('sift');
CALL measure_insert('mnist');
CALL measure_insert('clusters');

-- Whatever was counted was counted in sound indexes.
SELECT count(diskann_index_check(name || '_idx', true)) = 4 FROM sets;
CHECKPOINT;
