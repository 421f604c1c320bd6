#!/bin/sh
# Six messy exports → one customer list with its business, and a report. Usage: demo.sh FOLDER BIN
set -eu
demo=$1
bin=$2
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# the day on which the exports were written
day=2025-02-01

rm -rf "$demo"
say "1. Six exports of one company's customers, as its systems wrote them"
"$bin/python" benchmarks/generate.py demo --out "$demo/exports" --business "$demo/business"
mv "$demo/exports/truth.csv" "$demo/truth.csv"
ls -l "$demo/exports" | awk 'NR > 1 { printf "   %9d bytes  %s\n", $5, $NF }'

say "2. A project: settings, rules, an empty store"
"$bin/crmq" init "$demo/project" --name demo

say "3. All six, the whole way to golden records"
set -- "$demo"/exports/*.csv
"$bin/crmq" run "$@" --as-of "$day" --project "$demo/project"

say "4. The same six again: nothing changes"
"$bin/crmq" run "$@" --as-of "$day" --project "$demo/project" --format json \
  > "$demo/again.json" 2> "$demo/again.log" || { cat "$demo/again.log" >&2; exit 1; }
"$bin/python" -c '
import json, sys
run = json.load(open(sys.argv[1]))
golden, records = run["golden"], run["records"]
print("   {unchanged:,} of {received:,} rows unchanged".format(**records), end="; ")
print("{created} golden records created, {changed} changed, {merged} merged, {split} split".format(**golden))
' "$demo/again.json"

say "5. Was it right? The generator knows who is who"
"$bin/crmq" evaluate "$demo/truth.csv" --project "$demo/project"

say "6. Two years of business: deals, payments, tickets, campaigns, each found its customer"
set -- "$demo"/business/hubspot_deals.csv "$demo"/business/stripe_payments.csv \
  "$demo"/business/salesforce_campaigns.csv "$demo"/business/salesforce_campaign_members.csv \
  "$demo"/business/zendesk_tickets.csv
"$bin/crmq" run "$@" --as-of "$day" --project "$demo/project" --format json > "$demo/business.json"
"$bin/crmq" run "$demo/business/usage.csv" --entity usage_event --as-of "$day" \
  --project "$demo/project" --format json > "$demo/usage.json"
"$bin/python" -c '
import json, sys
for name in sys.argv[1:]:
    for entity, rows in json.load(open(name))["rows"].items():
        total = rows["total"]
        print(f"   {total:>6,} {entity} rows")
' "$demo/business.json" "$demo/usage.json"
echo
"$bin/crmq" crm pipeline --as-of "$day" --project "$demo/project"
echo
"$bin/crmq" crm tickets --as-of "$day" --project "$demo/project"
echo
"$bin/crmq" crm campaign --as-of "$day" --project "$demo/project"

say "7. What deduplication changed: the records as received, beside the golden ones"
"$bin/crmq" crm before-after --project "$demo/project"

say "8. How good is it, and what is left to do?"
"$bin/crmq" audit --as-of "$day" --project "$demo/project" --html "$demo/audit.html"

say "9. To take away"
"$bin/crmq" export contacts "$demo/contacts.csv" --project "$demo/project"
"$bin/crmq" export crosswalk "$demo/crosswalk.csv" --project "$demo/project"
"$bin/crmq" export quarantine "$demo/quarantine.csv" --project "$demo/project"
echo
echo "Now open $demo/audit.html in a browser: all of this, and the business, on one page."
