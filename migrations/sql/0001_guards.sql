-- Second belt of what privileges already forbid: it holds for the owner too.
-- Nothing in the journal is ever updated, deleted or truncated.
CREATE FUNCTION ila.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: its rows are never changed or removed', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER journal_entry_unchanged BEFORE UPDATE OR DELETE ON ila.journal_entry
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER journal_entry_not_truncated BEFORE TRUNCATE ON ila.journal_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER transfer_unchanged BEFORE UPDATE OR DELETE ON ila.transfer
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER transfer_not_truncated BEFORE TRUNCATE ON ila.transfer
    FOR EACH STATEMENT EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER parameter_set_unchanged BEFORE UPDATE OR DELETE ON ila.parameter_set
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER audit_event_unchanged BEFORE UPDATE OR DELETE ON ila.audit_event
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER fact_change_unchanged BEFORE UPDATE OR DELETE ON ila.fact_change
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER allocation_unchanged BEFORE UPDATE OR DELETE ON ila.allocation
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER credit_request_unchanged BEFORE UPDATE OR DELETE ON ila.credit_request
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER appropriation_unchanged BEFORE UPDATE OR DELETE ON ila.appropriation
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();

-- What was granted never changes; only what is available does. The trigger costs nothing to a draw: it names columns.
CREATE TRIGGER entitlement_grant_unchanged
    BEFORE UPDATE OF citizen_id, allocation_run_id, granted_minor, counted_minor, expires_on, fund_id, restriction_id,
                     scheme_id, source ON ila.entitlement
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER entitlement_not_deleted BEFORE DELETE ON ila.entitlement
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();

-- Facts are never overwritten: only the mark that says from when on the platform knew better.
CREATE TRIGGER citizen_fact_unchanged
    BEFORE UPDATE OF citizen_id, recorded_no, income_minor, valid_from, valid_until, born_on, qualification_level,
                     account_open, resides_here, works_here, national, employment_status, category, region
    ON ila.citizen_fact FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER citizen_fact_not_deleted BEFORE DELETE ON ila.citizen_fact
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER need_attestation_unchanged
    BEFORE UPDATE OF citizen_id, criterion, recorded_no, valid_from, valid_until, source
    ON ila.need_attestation FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER need_attestation_not_deleted BEFORE DELETE ON ila.need_attestation
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER work_record_unchanged
    BEFORE UPDATE OF citizen_id, job_no, recorded_no, valid_from, valid_until, basis, worked, reference
    ON ila.work_record FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER work_record_not_deleted BEFORE DELETE ON ila.work_record
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_change();

-- A fact that was superseded stays so: what was known then does not change.
CREATE TRIGGER citizen_fact_superseded_once BEFORE UPDATE OF superseded_no ON ila.citizen_fact
    FOR EACH ROW WHEN (OLD.superseded_no <> 9223372036854775807) EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER need_attestation_superseded_once BEFORE UPDATE OF superseded_no ON ila.need_attestation
    FOR EACH ROW WHEN (OLD.superseded_no <> 9223372036854775807) EXECUTE FUNCTION ila.refuse_change();
CREATE TRIGGER work_record_superseded_once BEFORE UPDATE OF superseded_no ON ila.work_record
    FOR EACH ROW WHEN (OLD.superseded_no <> 9223372036854775807) EXECUTE FUNCTION ila.refuse_change();

-- What is known now of one citizen never overlaps in time. Whoever adds facts holds the citizen's row, so the check,
-- a statement of its own with a newer snapshot, sees every fact committed before; a snapshot of the whole transaction
-- would not. One check for a statement, whatever it inserts: an exclusion constraint costs 1 M citizens far more.
CREATE FUNCTION ila.refuse_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    same_thing text := CASE WHEN TG_NARGS = 0 THEN 'true' ELSE format('fact.%1$I = added.%1$I', TG_ARGV[0]) END;
    overlapping bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'facts are added at READ COMMITTED, not at %', current_setting('transaction_isolation')
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM FROM ila.citizen
        WHERE citizen_id IN (SELECT added.citizen_id FROM added) AND xmin <> pg_current_xact_id()::xid
        ORDER BY citizen_id FOR NO KEY UPDATE;
    EXECUTE format(
        'SELECT added.citizen_id FROM added JOIN %I.%I fact ON fact.citizen_id = added.citizen_id AND %s
             AND fact.valid_from < added.valid_until AND fact.valid_until > added.valid_from
             AND fact.superseded_no = $1 AND added.superseded_no = $1
             AND (fact.recorded_no, fact.valid_from) <> (added.recorded_no, added.valid_from) LIMIT 1',
        TG_TABLE_SCHEMA, TG_TABLE_NAME, same_thing)
        INTO overlapping USING 9223372036854775807;
    IF overlapping IS NOT NULL THEN
        RAISE EXCEPTION 'facts of citizen % in % overlap in time', overlapping, TG_TABLE_NAME
            USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER citizen_fact_without_overlap AFTER INSERT ON ila.citizen_fact
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ila.refuse_overlap();
CREATE TRIGGER need_attestation_without_overlap AFTER INSERT ON ila.need_attestation
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ila.refuse_overlap('criterion');
CREATE TRIGGER work_record_without_overlap AFTER INSERT ON ila.work_record
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ila.refuse_overlap('job_no');

-- No entry is booked in a year that is fenced or closed. The transaction takes its id before the rule is read: whoever
-- closes a year waits for every id given out before the fence stood, and no reader of the old rule gets a later one.
CREATE FUNCTION ila.refuse_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_current_xact_id();
    IF EXISTS (SELECT FROM ila.ledger_period WHERE period = NEW.period) THEN
        RAISE EXCEPTION 'period % is not open: book in the first open one', NEW.period
            USING ERRCODE = 'check_violation', CONSTRAINT = 'period_open';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER journal_entry_in_open_period BEFORE INSERT ON ila.journal_entry
    FOR EACH ROW EXECUTE FUNCTION ila.refuse_closed_period();

-- A year's transfers are a partition of their own. Roles of the application may not run DDL; they may call this,
-- which runs it for them, once a year. Attaching takes no lock that stops readers or writers of other years.
CREATE FUNCTION ila.open_booking_year(booking_year int) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text := 'transfer_' || booking_year;
    first_id bigint := booking_year * 1000000000000::bigint;
BEGIN
    IF booking_year NOT BETWEEN 1990 AND 2199 THEN
        RAISE EXCEPTION 'booking year % is out of range', booking_year USING ERRCODE = 'check_violation';
    END IF;
    IF to_regclass('ila.' || part) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(x'11ABEA5'::int);
    -- Not to_regclass again: it would answer from what this session knew before it waited.
    IF EXISTS (SELECT FROM pg_class WHERE relname = part AND relnamespace = 'ila'::regnamespace) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE ila.%I (LIKE ila.transfer INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    EXECUTE format('ALTER TABLE ila.%I ADD CONSTRAINT %I PRIMARY KEY (citizen_id, journal_entry_id, line)',
                   part, 'pk_' || part);
    EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON ila.%I FOR EACH STATEMENT EXECUTE FUNCTION ila.refuse_change()',
                   part || '_not_truncated', part);
    EXECUTE format('ALTER TABLE ila.transfer ATTACH PARTITION ila.%I FOR VALUES FROM (%s) TO (%s)',
                   part, first_id, first_id + 1000000000000::bigint);
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION ila.open_booking_year(int) FROM PUBLIC;
