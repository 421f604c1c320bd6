#!/bin/sh
# Prints the path of a Chromium that can be driven without a screen; installs Debian's when it may.
# CRMQ_CHROMIUM names one that is used as it is.
set -eu

if [ -n "${CRMQ_CHROMIUM:-}" ]; then
  if [ -x "$CRMQ_CHROMIUM" ]; then
    printf '%s\n' "$CRMQ_CHROMIUM"
    exit 0
  fi
  echo "CRMQ_CHROMIUM=$CRMQ_CHROMIUM is no program that can be started" >&2
  exit 1
fi

find_one() {
  for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
    command -v "$name" && return 0
  done
  for path in "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
              "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    if [ -x "$path" ]; then
      printf '%s\n' "$path"
      return 0
    fi
  done
  return 1
}

find_one && exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "installing Chromium ..." >&2
  export DEBIAN_FRONTEND=noninteractive
  { apt-get install -y --no-install-recommends chromium ||
    { apt-get update && apt-get install -y --no-install-recommends chromium; }; } >&2
  find_one && exit 0
fi

echo "the browser tests need Chromium or Chrome: install it (on Debian and Ubuntu: sudo apt-get" \
     "install chromium), or name it with CRMQ_CHROMIUM=/path/to/chromium" >&2
exit 1
