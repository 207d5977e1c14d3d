-- Wait until no other session has a snapshot or a transaction, which would keep
-- dead rows from VACUUM.
CREATE PROCEDURE wait_for_others() LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. 1000 LOOP
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN NOT EXISTS (
            SELECT FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND
                (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL));
        PERFORM pg_sleep(0.01);
    END LOOP;
END$$;
