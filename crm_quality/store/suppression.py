"""Keys of people who were erased, as keyed digests that an import can be held against.

The digest is SHA-256 twice over the store's secret and the key (the nested construction of HMAC,
RFC 2104, with the secret in front both times); who has no store cannot try keys against it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from crm_quality.store.connection import Store

#: In front of the digest that takes the place of a source key.
ERASED = "erased:"

_PURPOSE = "suppression"
_DIGEST = """
'erased:' || sha256(
    $secret || sha256($secret || concat_ws(chr(31), {entity}, {source}, {source_key}))
)
"""


def digest_sql(entity: str, source: str, source_key: str) -> str:
    """SQL for the digest of a key from the SQL of its parts; its parameter is ``$secret``."""
    return _DIGEST.format(entity=entity, source=source, source_key=source_key)


def secret_of(store: Store) -> str:
    """The secret of the store; made at the first erasure, inside its transaction."""
    found: str | None = store.value("SELECT value FROM main.secret WHERE name = ?", [_PURPOSE])
    if found is None:
        found = secrets.token_hex(32)
        store.execute("INSERT INTO main.secret VALUES (?, ?)", [_PURPOSE, found])
    return found


def erased_keys(store: Store, entity: str, keys: pl.DataFrame) -> pl.DataFrame:
    """Which keys are those of people who were erased.

    Args:
        store: The open store.
        entity: What the keys are of.
        keys: ``source``, ``source_key``.

    Returns:
        ``source``, ``source_key`` and ``digest`` (the key that the record has now) of those.
    """
    told = {"source": pl.String, "source_key": pl.String, "digest": pl.String}
    gone = "SELECT source_key FROM landing.record WHERE entity = ? AND erased_at IS NOT NULL"
    if keys.is_empty() or not store.rows(f"{gone} LIMIT 1", [entity]):
        return pl.DataFrame(schema=told)
    with store.staged(keys.select("source", "source_key").unique(), "keys_asked"):
        return store.named(
            f"""
            WITH k AS (
                SELECT source, source_key,
                       {digest_sql("$entity", "source", "source_key")} AS digest
                FROM keys_asked WHERE source_key IS NOT NULL
            )
            SELECT k.* FROM k JOIN landing.record r
              ON r.entity = $entity AND r.source = k.source AND r.source_key = k.digest
            WHERE r.erased_at IS NOT NULL
            """,  # noqa: S608 - parts are constants
            {"secret": secret_of(store), "entity": entity},
        )


def withdrawn_digested(store: Store) -> bool:
    """Whether keys of records that undone runs had brought are kept as digests."""
    return bool(
        store.rows(
            "SELECT 1 FROM landing.withdrawn_record WHERE starts_with(source_key, ?) LIMIT 1",
            [ERASED],
        )
    )


def digest_withdrawn(store: Store) -> None:
    """Keep the keys of records that undone runs had brought as digests.

    Nothing says any more whose they were, so at the first erasure none may stay in plain text.

    Args:
        store: Inside its transaction.
    """
    digest = digest_sql("entity", "source", "source_key")
    store.connection.execute(
        f"UPDATE landing.withdrawn_record SET source_key = {digest}"  # noqa: S608 - constants
        " WHERE NOT starts_with(source_key, $erased)",
        {"secret": secret_of(store), "erased": ERASED},
    ).fetchall()


def withdrawn_keys(store: Store, entity: str, keys: pl.DataFrame) -> pl.DataFrame:
    """Which keys are those of records that undone runs had brought.

    Args:
        store: The open store.
        entity: What the keys are of.
        keys: ``source``, ``source_key``.

    Returns:
        ``source``, ``source_key``, ``former_id``: they have their number back when they come again.
    """
    found = [pl.DataFrame(schema={"source": pl.String, "source_key": pl.String,
                                  "former_id": pl.Int64})]  # fmt: skip
    if not store.rows("SELECT 1 FROM landing.withdrawn_record WHERE entity = ? LIMIT 1", [entity]):
        return found[0]
    with store.staged(keys.select("source", "source_key").unique(), "keys_asked"):
        among = "SELECT k.source, k.source_key, w.record_id AS former_id FROM keys_asked k JOIN ("
        gone = "FROM landing.withdrawn_record WHERE entity = $entity"
        found.append(
            store.named(
                f"{among}{gone}) w USING (source, source_key)",
                {"entity": entity},
            )
        )
        if withdrawn_digested(store):
            digest = digest_sql("$entity", "k.source", "k.source_key")
            found.append(
                store.named(
                    f"{among}{gone}) w ON w.source = k.source AND w.source_key = {digest}",
                    {"entity": entity, "secret": secret_of(store)},
                )
            )
    return pl.concat(found)
