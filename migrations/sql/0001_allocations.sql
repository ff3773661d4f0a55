-- Runs, slices, and the reasons of those who got nothing.

CREATE TABLE ila.allocation_run (
    allocation_run_id BIGINT NOT NULL,
    scheme_id SMALLINT NOT NULL,
    fund_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    credit_code TEXT NOT NULL,
    period TEXT NOT NULL,
    state TEXT NOT NULL,
    reference_on DATE NOT NULL,
    effective_on DATE NOT NULL,
    facts_no BIGINT,
    parameter_digest BYTEA,
    plan JSONB,
    plan_digest BYTEA,
    approved_digest BYTEA,
    opened_by BIGINT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    previewed_by BIGINT,
    approved_by BIGINT,
    approved_at TIMESTAMP WITH TIME ZONE,
    started_by BIGINT,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    reverses_run_id BIGINT,
    failure TEXT,
    CONSTRAINT pk_allocation_run PRIMARY KEY (allocation_run_id),
    CONSTRAINT ck_allocation_run_kind CHECK (kind IN ('yearly', 'cohort', 'request', 'contribution', 'late', 'return', 'expiry', 'reversal')),
    CONSTRAINT ck_allocation_run_state CHECK (state IN ('draft', 'previewed', 'approved', 'running', 'paused', 'failed', 'finished', 'cancelled', 'reversed')),
    CONSTRAINT ck_allocation_run_four_eyes CHECK (approved_by <> opened_by AND approved_by <> previewed_by),
    CONSTRAINT ck_allocation_run_planned_by_a_person CHECK (approved_by IS NULL OR previewed_by > 0),
    CONSTRAINT ck_allocation_run_approved_plan CHECK (approved_digest = plan_digest OR state IN ('draft', 'previewed', 'cancelled')),
    CONSTRAINT ck_allocation_run_approved_before_running CHECK (state NOT IN ('approved', 'running', 'paused', 'failed', 'finished', 'reversed') OR kind IN ('request', 'return', 'expiry') OR (approved_by IS NOT NULL AND approved_digest IS NOT NULL)),
    CONSTRAINT ck_allocation_run_reversal CHECK ((kind = 'reversal') = (reverses_run_id IS NOT NULL))
);
CREATE UNIQUE INDEX uq_allocation_run_period ON ila.allocation_run (scheme_id, kind, credit_code, period) WHERE kind IN ('yearly', 'cohort', 'expiry') AND state NOT IN ('cancelled', 'reversed');
CREATE UNIQUE INDEX uq_allocation_run_reverses ON ila.allocation_run (reverses_run_id) WHERE reverses_run_id IS NOT NULL AND state <> 'cancelled';
CREATE UNIQUE INDEX uq_allocation_run_running ON ila.allocation_run (scheme_id) WHERE state = 'running';
COMMENT ON COLUMN ila.allocation_run.credit_code IS 'which credit of the scheme; empty for other kinds';
COMMENT ON COLUMN ila.allocation_run.period IS 'what is credited: 2027, 2026/27, 2025-01; a day for an expiry';
COMMENT ON COLUMN ila.allocation_run.reference_on IS 'facts and policy of this day decide';
COMMENT ON COLUMN ila.allocation_run.effective_on IS 'the day the credit counts';
COMMENT ON COLUMN ila.allocation_run.facts_no IS 'facts as known at this change; set by preview';
COMMENT ON COLUMN ila.allocation_run.plan IS 'totals and distribution of the preview';
COMMENT ON COLUMN ila.allocation_run.approved_digest IS 'the plan_digest that was approved';
COMMENT ON COLUMN ila.allocation_run.previewed_by IS 'who made the plan that stands; 0 the clock';
COMMENT ON COLUMN ila.allocation_run.failure IS 'one sentence, when the state is failed';

CREATE TABLE ila.allocation_slice (
    allocation_run_id BIGINT NOT NULL,
    slice_no INTEGER NOT NULL,
    first_citizen_id BIGINT NOT NULL,
    last_citizen_id BIGINT NOT NULL,
    journal_entry_id BIGINT NOT NULL,
    state TEXT NOT NULL,
    credited INTEGER DEFAULT 0 NOT NULL,
    not_credited INTEGER DEFAULT 0 NOT NULL,
    amount_minor BIGINT DEFAULT 0 NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_allocation_slice PRIMARY KEY (allocation_run_id, slice_no),
    CONSTRAINT ck_allocation_slice_state CHECK (state IN ('open', 'done')),
    CONSTRAINT ck_allocation_slice_bounds CHECK (first_citizen_id <= last_citizen_id)
);
CREATE INDEX ix_allocation_slice_open ON ila.allocation_slice (allocation_run_id, slice_no) WHERE state = 'open';
COMMENT ON COLUMN ila.allocation_slice.last_citizen_id IS 'included';
COMMENT ON COLUMN ila.allocation_slice.journal_entry_id IS 'fixed beforehand: a repeat uses the same';
COMMENT ON COLUMN ila.allocation_slice.credited IS 'citizens with a transfer';
COMMENT ON COLUMN ila.allocation_slice.not_credited IS 'citizens with a reason instead';

CREATE TABLE ila.allocation (
    citizen_id BIGINT NOT NULL,
    allocation_run_id BIGINT NOT NULL,
    counted_minor BIGINT NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT pk_allocation PRIMARY KEY (citizen_id, allocation_run_id),
    CONSTRAINT ck_allocation_reason CHECK (reason IN ('CEILING', 'CLOSED', 'AGE_OUT_OF_RANGE', 'NOT_RESIDENT', 'NOT_NATIONAL', 'STATUS_NOT_COVERED', 'INCOME_TOO_LOW', 'INCOME_TOO_HIGH', 'QUALIFICATION_OUT_OF_RANGE', 'EXCLUDED', 'ALREADY_CREDITED', 'NO_WORK_RECORD', 'BELOW_MINIMUM'))
);
COMMENT ON COLUMN ila.allocation.counted_minor IS 'balance counted against the ceiling';
CREATE TABLE ila.credit_request (
    citizen_id BIGINT NOT NULL,
    scheme_id SMALLINT NOT NULL,
    credit_code TEXT NOT NULL,
    period TEXT NOT NULL,
    allocation_run_id BIGINT NOT NULL,
    CONSTRAINT pk_credit_request PRIMARY KEY (citizen_id, scheme_id, credit_code, period),
    CONSTRAINT uq_credit_request_allocation_run_id UNIQUE (allocation_run_id)
);
ALTER TABLE ila.credit_request ADD CONSTRAINT fk_credit_request_allocation_run FOREIGN KEY(allocation_run_id) REFERENCES ila.allocation_run (allocation_run_id);
ALTER TABLE ila.allocation_run ADD CONSTRAINT fk_allocation_run_allocation_run FOREIGN KEY(reverses_run_id) REFERENCES ila.allocation_run (allocation_run_id);
ALTER TABLE ila.allocation_run ADD CONSTRAINT fk_allocation_run_scheme FOREIGN KEY(scheme_id) REFERENCES ila.scheme (scheme_id);
ALTER TABLE ila.allocation_run ADD CONSTRAINT fk_allocation_run_fund FOREIGN KEY(fund_id) REFERENCES ila.fund (fund_id);
ALTER TABLE ila.allocation_slice ADD CONSTRAINT fk_allocation_slice_allocation_run FOREIGN KEY(allocation_run_id) REFERENCES ila.allocation_run (allocation_run_id);
