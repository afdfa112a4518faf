#!/usr/bin/env bash
# Builds the viewer page into src/web/dist, from where the agent embeds it. Does nothing if the page is newer than its sources.
set -euo pipefail
cd "$(dirname "$0")/../src/web"

command -v npm >/dev/null || { echo "build-page.sh: npm is missing; install Node.js 20.19 or later" >&2; exit 2; }
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "Installing the page's packages ..."
  npm ci --ignore-scripts --loglevel=error
fi
if [ -f dist/index.html ] && [ -z "$(find index.html vite.config.ts package-lock.json src public -newer dist/index.html -print -quit)" ]; then
  exit 0
fi
echo "Building the page ..."
npm run build --silent -- --logLevel warn
