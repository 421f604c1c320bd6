-- Customers that are linked, not merged; and pairs drawn to be labelled by a steward.

-- households, workplaces …: one row per record of a group of at least two customers
CREATE TABLE matching.group_member (
    entity     VARCHAR NOT NULL,
    group_kind VARCHAR NOT NULL,             -- household, workplace, corporate_group, site
    relation   VARCHAR NOT NULL,             -- the relation that ties the group
    group_id   BIGINT NOT NULL,              -- the least record_id of the group
    record_id  BIGINT NOT NULL,
    run_id     BIGINT NOT NULL
);

-- one draw; its figures are those of the store when it was drawn
CREATE TABLE matching.sample (
    sample_id BIGINT NOT NULL,
    entity    VARCHAR NOT NULL,
    drawn_at  TIMESTAMP NOT NULL,
    actor     VARCHAR NOT NULL,
    reason    VARCHAR,
    after_run BIGINT                         -- the last run before it
);

-- strata by weight, of joined and of separate pairs; pairs is how many the stratum holds
CREATE TABLE matching.sample_stratum (
    sample_id BIGINT NOT NULL,
    stratum   BIGINT NOT NULL,
    joined    BOOLEAN NOT NULL,
    at_least  DOUBLE,                        -- match weight; null: never compared
    below     DOUBLE,
    pairs     BIGINT NOT NULL
);

CREATE TABLE matching.sample_pair (
    sample_id   BIGINT NOT NULL,
    stratum     BIGINT NOT NULL,
    place       BIGINT NOT NULL,             -- in the order to be labelled
    record_id_l BIGINT NOT NULL,
    record_id_r BIGINT NOT NULL,
    verdict     VARCHAR,                     -- same, different; null: not labelled yet
    actor       VARCHAR,
    labelled_at TIMESTAMP
);

-- whether the pair makes a group of its relation; null: of an earlier version
ALTER TABLE matching.pair ADD COLUMN ties BOOLEAN;
