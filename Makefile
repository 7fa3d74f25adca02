# All a newcomer needs: run, test, lint, bench. `make prove` is for releases.
.PHONY: run test lint bench prove web pictures reports

run: web
	cargo run --locked -p api --bin wenzhen -- serve --demo

web:
	cd web && npm ci --no-audit --no-fund && npm run build

test:
	tests/run

lint:
	tests/lint/run

bench:
	tests/bench/run

reports:
	tests/bench/reports

pictures:
	WENZHEN_PICTURES=$(CURDIR)/docs/pictures tests/browser/run

prove:
	tests/prove/run
