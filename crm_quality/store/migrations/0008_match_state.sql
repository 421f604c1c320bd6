-- Which state of matching, kept in files beside the store, is that of the store as it is: a name that
-- each run of matching draws anew. Without its files all records are matched again.
CREATE TABLE matching.state (
    entity VARCHAR NOT NULL,
    token  VARCHAR NOT NULL
);
