"""Daitch-Mokotoff Soundex: how names of Central and Eastern Europe sound, in six digits.

Source: R. Mokotoff, Soundexing and genealogy, https://www.avotaynu.com/soundex.htm (the coding
chart of 1985). Where the chart lets a letter sound in two ways (c, ch, ck, j, rs, rz), the first
way of `_CHART` is taken, so that a word has one code; "c" then meets "k".
"""

from __future__ import annotations

_DIGITS = 6
_VOWELS = frozenset("aeiou")

#: Letters → digits at the start of a word, before a vowel, elsewhere; ``-`` is not coded.
_CHART = """
ai aj ay:0 1 -   au:0 7 -   a:0 - -   b:7 7 7
chs:5 54 54   ch:5 5 5   ck:5 5 5   cz cs csz czs:4 4 4   c:5 5 5
drz drs:4 4 4   ds dsh dsz:4 4 4   dz dzh dzs:4 4 4   d dt:3 3 3
ei ej ey:0 1 -   eu:1 1 -   e:0 - -   fb f:7 7 7   g:5 5 5   h:5 5 -
ia ie io iu:1 - -   i:0 - -   j:1 - -   ks:5 54 54   kh k:5 5 5   l:8 8 8
mn nm:66 66 66   m n:6 6 6   oi oj oy:0 1 -   o:0 - -   p pf ph:7 7 7   q:5 5 5
rz rs:94 94 94   r:9 9 9
schtsch schtsh schtch:2 4 4   sch:4 4 4   shtch shch shtsh:2 4 4   sht scht schd:2 43 43
sh:4 4 4   stch stsch sc:2 4 4   strz strs stsh:2 4 4   st:2 43 43   szcz szcs:2 4 4
szt shd szd sd:2 43 43   sz s:4 4 4
tch ttch ttsch:4 4 4   th:3 3 3   trz trs:4 4 4   tsch tsh:4 4 4   ts tts ttsz tc:4 4 4
tz ttz tzs tsz:4 4 4   t:3 3 3
ui uj uy:0 1 -   ue u:0 - -   v w:7 7 7   x:5 54 54   y:1 - -
zdz zdzh zhdzh:2 4 4   zd zhd:2 43 43   zh zs zsch zsh z:4 4 4
"""


def _rows() -> dict[str, tuple[str, str, str]]:
    rows: dict[str, tuple[str, str, str]] = {}
    for entry in _CHART.replace("\n", "   ").split("   "):
        letters, _, digits = entry.strip().partition(":")
        start, before_vowel, elsewhere = digits.replace("-", "").split(" ") if digits else ("",) * 3
        rows |= dict.fromkeys(letters.split(), (start, before_vowel, elsewhere))
    return rows


_CODES = _rows()
_LONGEST = max(map(len, _CODES))


def daitch_mokotoff_word(word: str) -> str:
    """The six digits of one word of the letters a to z; empty for an empty word."""
    code, last, at = "", "", 0
    while at < len(word) and len(code) < _DIGITS:
        letters = next(
            part for size in range(_LONGEST, 0, -1) if (part := word[at : at + size]) in _CODES
        )
        after = word[at + len(letters) : at + len(letters) + 1]
        place = 0 if at == 0 else 1 if after in _VOWELS and after else 2
        digits = _CODES[letters][place]
        # one sound that is written twice is coded once, m beside n twice
        if not (digits and last.endswith(digits)) or letters in {"mn", "nm"}:
            code += digits
        last, at = digits, at + len(letters)
    return code[:_DIGITS].ljust(_DIGITS, "0") if word else ""
