-- The numbers that everything is ordered by.
CREATE SEQUENCE ila.citizen_id_seq AS bigint;
CREATE SEQUENCE ila.fact_change_seq AS bigint;
CREATE SEQUENCE ila.booking_seq AS bigint;
COMMENT ON SEQUENCE ila.citizen_id_seq IS 'dense internal ids, dealt out in shuffled order';
COMMENT ON SEQUENCE ila.fact_change_seq IS 'numbers of changes of facts; taken under an advisory lock';
COMMENT ON SEQUENCE ila.booking_seq IS 'number within the ids of runs and journal entries: booking year * 10^12 + n';
