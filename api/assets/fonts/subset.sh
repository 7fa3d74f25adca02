#!/bin/sh
# Makes NotoSansSC-Regular.subset.ttf, the font of every issued document, from Noto Sans SC 2.004 (SIL OFL 1.1, OFL.txt).
# Same input, same output: the two downloads are pinned and the source is checked by its hash.
# Kept: GB2312, Latin-1, Greek, what a prescription or a laboratory writes, and the characters of names.txt,
# which lists those that people's names need and GB2312 lacks. Layout tables go: a glyph is chosen per character.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm pack --silent @expo-google-fonts/noto-sans-sc@0.4.3 >/dev/null
tar xzf expo-google-fonts-noto-sans-sc-0.4.3.tgz package/400Regular/NotoSansSC_400Regular.ttf
echo "d45f67f0a7c0ca3f256950777ce6a61cc7ce5f9696d02900cbbaac25f8aa7d16  package/400Regular/NotoSansSC_400Regular.ttf" | sha256sum -c --quiet -

python3 -m venv venv
venv/bin/pip install --quiet fonttools==4.68.0
venv/bin/python - "$here/names.txt" >unicodes.txt <<'PY'
import sys
wanted = set(open(sys.argv[1], encoding="utf-8").read())
for high in range(0xA1, 0xF8):
    for low in range(0xA1, 0xFF):
        wanted.add(bytes([high, low]).decode("gb2312", errors="ignore"))
RANGES = [
    (0x20, 0x7E), (0xA0, 0xFF), (0x391, 0x3C9),  # ASCII, Latin-1 with × ± µ ², Greek with μ
    (0x2010, 0x2027), (0x2030, 0x203B), (0x2070, 0x209C), (0x20AC, 0x20AC),  # dashes, quotes, ‰, super- and subscripts
    (0x2100, 0x2127), (0x2150, 0x217F), (0x2190, 0x2199), (0x2200, 0x22FF),  # ℃ ℉ № Ω, fractions, roman numbers, ≥ ≤ ≈
    (0x2460, 0x24FF), (0x2500, 0x257F), (0x25A0, 0x25FF), (0x2605, 0x2642), (0x2713, 0x2717),  # ①, □ ■ ○, ♀ ♂, ✓
    (0x3000, 0x303F), (0x3220, 0x32FF), (0x3300, 0x33FF), (0xFF00, 0xFFEF),  # 。《》, ㎎ ㎜ ㏄, full width with ￥
]
for first, last in RANGES:
    wanted.update(chr(code) for code in range(first, last + 1))
print("\n".join(f"{ord(c):04X}" for c in sorted("".join(wanted)) if ord(c) >= 0x20))
PY
venv/bin/pyftsubset package/400Regular/NotoSansSC_400Regular.ttf --unicodes-file=unicodes.txt \
  --output-file="$here/NotoSansSC-Regular.subset.ttf" --layout-features= --no-hinting --desubroutinize --notdef-outline \
  --drop-tables+=GSUB,GPOS,GDEF,BASE,STAT,vhea,vmtx,gasp,prep
