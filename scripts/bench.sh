#!/bin/sh
# Speed and accuracy in one go, into benchmarks/results/. Usage: bench.sh BIN [FOLDER OF LABELLED SETS]
set -eu
bin=$1
labelled=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$bin/python" benchmarks/pipeline.py --rows 100000 --results benchmarks/results
"$bin/python" benchmarks/speed.py --rows 100000 --results benchmarks/results
"$bin/python" benchmarks/rules.py --rows 100000 --results benchmarks/results
"$bin/python" benchmarks/store.py --rows 1000000 --results benchmarks/results
"$bin/python" benchmarks/kill.py --moments 50 --results benchmarks/results
"$bin/python" -m pytest -q -n auto -m slow tests
CRMQ_LAW_EXAMPLES=40 CRMQ_LAW_STEPS=20 "$bin/python" -m pytest -q tests/engine/test_laws.py

echo "A careful hand-written Splink on the same 100,000 contacts, thresholds chosen with the truth:"
"$bin/python" benchmarks/generate.py contacts --rows 100000 --out "$work/contacts.parquet" \
  --truth "$work/truth.parquet"
"$bin/python" benchmarks/baseline_splink.py "$work/contacts.parquet" "$work/truth.parquet"

if [ -n "$labelled" ]; then
  "$bin/python" benchmarks/matching.py --data "$labelled"
fi
