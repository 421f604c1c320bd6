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
