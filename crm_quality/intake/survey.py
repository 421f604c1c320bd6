"""What a file is, before it is read: kind, encoding, line ends, longest line, hash."""

from __future__ import annotations

import codecs
import hashlib
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from charset_normalizer import from_bytes
from rapidfuzz import process

from crm_quality.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["delimited", "json", "parquet", "xlsx"]

#: A line longer than this is damage (a quote never closed, a binary file), not a record.
LONGEST_LINE = 16 * 1024 * 1024
_BLOCK = 1024 * 1024
_HEAD = 64 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Share of odd characters up to which a text counts as Western European.
_MOST_ODD = 0.2
#: Single-byte encodings of business exports; others must be named by the user.
_SINGLE_BYTE = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "koi8_r", "mac_roman"]


@dataclass(frozen=True)
class Survey:
    """What is known of a file after one pass over its bytes.

    Attributes:
        kind: What reads it.
        sha256: SHA-256 of its bytes, in hex.
        encoding: Python's name of its encoding; ``mixed`` when lines in UTF-8 and lines in
            something else stand side by side. Empty for Parquet and XLSX.
        only_returns: Lines end with a carriage return alone, as old Excel for Mac writes them.
        guessed: True when the encoding is a guess.
    """

    kind: Kind
    sha256: str
    encoding: str = ""
    only_returns: bool = False
    guessed: bool = False


def survey(path: Path, encoding: str | None = None) -> Survey:
    """Look at a file once, without reading it as a table.

    Args:
        path: The file.
        encoding: Its encoding, where the user knows it.

    Returns:
        What it is.

    Raises:
        InputError: There is no such file, it cannot be opened, is empty or is of a kind that
            holds no table.
    """
    head = _head(path)
    kind = _kind(path, head, encoding)
    if kind in ("parquet", "xlsx"):
        with path.open("rb") as file:
            return Survey(kind, hashlib.file_digest(file, "sha256").hexdigest())
    mark = next((name for bom, name in _MARKS if head.startswith(bom)), None)
    wide = mark if mark and mark != "utf-8-sig" else _unmarked_wide(head)
    known = _known(encoding, path) or wide
    passed = _pass_over(path, known, LONGEST_LINE if kind == "delimited" else None)
    if known is None and not passed.is_utf8:
        found, guessed = _single_byte(path)
    else:
        found, guessed = known or "utf-8", False
    return Survey(kind, passed.sha256, found, passed.only_returns, guessed)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file{_near(path)}") from None
    except IsADirectoryError:
        raise InputError(f"{path}: this is a folder; name the files in it") from None
    except PermissionError:
        raise InputError(f"{path}: no permission to read it; change its rights") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be opened: {error.strerror or error}") from None
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"):
        raise InputError(f"{path}: the file is empty; was the export finished?")
    return head


def _near(path: Path) -> str:
    try:
        names = [file.name for file in path.parent.iterdir()]
    except OSError:
        return f" and no folder {path.parent}; check the path"
    best = process.extractOne(path.name, names, score_cutoff=70)
    return f"; did you mean {best[0]!r}?" if best else "; check the path"


def _kind(path: Path, head: bytes, encoding: str | None) -> Kind:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError(
            f"{path}: an old or password-protected Excel file; "
            "save it as .xlsx without a password, or as CSV"
        )
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")):
        raise InputError(f"{path}: a compressed file; unpack it first")
    if encoding is None and _is_binary(head):
        raise InputError(
            f"{path}: not a table: it holds binary data; give CSV, XLSX, Parquet or JSON"
        )
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return (
        "json"
        if text[:1] == b"{" or text[:2] in (b"[{", b"[]", b"[\n", b"[ ", b"[\r")
        else ("delimited")
    )


def _zipped(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        raise InputError(f"{path}: a damaged Excel or ZIP file; export it again") from None
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    raise InputError(f"{path}: a ZIP archive of {', '.join(names[:3])}; unpack it first")


def _is_binary(head: bytes) -> bool:
    if any(head.startswith(bom) for bom, _ in _MARKS) or _unmarked_wide(head):
        return False
    odd = sum(head.count(bytes([code])) for code in range(32) if code not in (9, 10, 12, 13, 27))
    return odd > len(head) * 0.02 and odd > 2  # noqa: PLR2004 - a stray NUL is no binary file


def _unmarked_wide(head: bytes) -> str | None:
    """UTF-16 without a mark: text of Latin letters has a NUL in every other byte."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.05:
        return "utf-16-be"
    return None


def _known(encoding: str | None, path: Path) -> str | None:
    if encoding is None:
        return None
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise InputError(
            f"{path}: there is no encoding {encoding!r}; try utf-8, utf-16, cp1252 or latin-1"
        ) from None
    return "utf-8" if name == "utf-8-sig" else name


@dataclass(frozen=True)
class _Pass:
    sha256: str
    is_utf8: bool
    only_returns: bool


def _pass_over(path: Path, encoding: str | None, longest: int | None) -> _Pass:
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = encoding in (None, "utf-8")
    length, lines, has_return = 0, 0, False
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            if is_utf8:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    is_utf8 = False
            last = max(block.rfind(b"\n"), block.rfind(b"\r"))
            fed = block.count(b"\n")
            lines += fed
            if not fed and not has_return:
                has_return = b"\r" in block
            length = length + len(block) if last < 0 else len(block) - last
            if longest is not None and length > longest:
                raise InputError(
                    f"{path}: line {lines + 1} has more than {longest // _BLOCK} MB, which is no "
                    "record; the file is damaged or not a table: export it again"
                )
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        is_utf8 = False
    return _Pass(digest.hexdigest(), is_utf8, only_returns=has_return and not lines)


def _single_byte(path: Path) -> tuple[str, bool]:
    """The encoding of a file that is not UTF-8 throughout, and whether it is a guess."""
    sample = bytearray()
    utf8 = other = 0
    with path.open("rb") as file:
        for line in file:
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                utf8 += 1
            except UnicodeDecodeError:
                other += 1
                if len(sample) < _HEAD:
                    sample += line[:_HEAD]
    if utf8:
        return "mixed", True
    if _reads_as_western(bytes(sample)):
        return "cp1252", True
    best = from_bytes(bytes(sample), cp_isolation=_SINGLE_BYTE).best()
    return (best.encoding if best else "cp1252"), True


def _reads_as_western(sample: bytes) -> bool:
    """True when the bytes beyond ASCII are accents among Latin letters, as cp1252 has them.

    Signs that stand inside words (``Wa³êsa``) are letters of another encoding.
    """
    text = sample.decode("cp1252", errors="replace")
    if "\ufffd" in text:
        return False
    beyond = odd = 0
    for before, char, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if char.isascii():
            continue
        beyond += 1
        if char.isalpha():
            odd += not any(near.isascii() and near.isalpha() for near in (before, after))
        elif unicodedata.category(char)[0] in "NS":
            odd += before.isalpha() or after.isalpha()
    return odd <= beyond * _MOST_ODD
