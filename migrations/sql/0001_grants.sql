-- What each role may do; nothing else. ila_app serves the web, ila_job runs the long work, ila_auditor reads.
-- Whoever owns the tables is none of them: append-only means nothing to an owner.
DO $$
DECLARE
    edge text;
BEGIN
    FOREACH edge IN ARRAY ARRAY['ila_app', 'ila_job'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = edge) THEN
            CONTINUE;
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA ila TO %I', edge);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA ila TO %I', edge);
        EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA ila TO %I', edge);
        EXECUTE format('GRANT INSERT ON ila.journal_entry, ila.transfer, ila.entitlement, ila.appropriation,
            ila.fund_balance, ila.allocation, ila.credit_request, ila.allocation_run, ila.allocation_slice, ila.audit_event,
            ila.request_key, ila.job_run, ila.fact_change, ila.citizen_fact, ila.need_attestation, ila.work_record,
            ila.citizen, ila.personal_detail, ila.citizen_import, ila.citizen_import_seen, ila.scheme, ila.fund, ila.parameter_set,
            ila.user_account, ila.role_grant, ila.api_token, ila.ledger_period TO %I', edge);
        EXECUTE format('GRANT UPDATE (available_minor) ON ila.entitlement, ila.fund_balance TO %I', edge);
        EXECUTE format('GRANT UPDATE (superseded_no) ON ila.citizen_fact, ila.need_attestation, ila.work_record TO %I', edge);
        EXECUTE format('GRANT UPDATE (status, closed_on, frozen_at) ON ila.citizen TO %I', edge);
        EXECUTE format('GRANT UPDATE (pepper_version, identifier_hash, key_version, wrapped_key, detail, detail_hash)
            ON ila.personal_detail TO %I', edge);
        EXECUTE format('GRANT DELETE ON ila.citizen_import_seen TO %I', edge);
        EXECUTE format('GRANT UPDATE ON ila.allocation_run, ila.allocation_slice, ila.job_run, ila.request_key,
            ila.citizen_import TO %I', edge);
        EXECUTE format('GRANT UPDATE (title) ON ila.scheme, ila.fund TO %I', edge);
        EXECUTE format('GRANT UPDATE (disabled_at) ON ila.user_account TO %I', edge);
        EXECUTE format('GRANT UPDATE (revoked_at) ON ila.role_grant, ila.api_token TO %I', edge);
        EXECUTE format('GRANT UPDATE (state, closed_at, totals_digest) ON ila.ledger_period TO %I', edge);
        EXECUTE format('GRANT EXECUTE ON FUNCTION ila.open_booking_year(int) TO %I', edge);
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ila_job') THEN
        GRANT DELETE ON ila.job_run TO ila_job;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ila_auditor') THEN
        GRANT USAGE ON SCHEMA ila TO ila_auditor;
        GRANT SELECT ON ALL TABLES IN SCHEMA ila TO ila_auditor;
        REVOKE SELECT ON ila.personal_detail, ila.api_token, ila.request_key FROM ila_auditor;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ila_app') THEN
        REVOKE INSERT ON ila.ledger_period FROM ila_app;
        REVOKE UPDATE ON ila.ledger_period FROM ila_app;
    END IF;
END
$$;
