# Everything a newcomer needs: Node 20 or newer with npm, and make. `make` alone lists the commands.

.DEFAULT_GOAL := help
.PHONY: help setup demo dev test verify clean

# Handed to the demo through the environment, so that a file name may hold spaces and quotes.
export PERSON GARMENT

# Commands of ours, as a user sees them: without npm's own lines around them.
WEARON = npm run --silent wearon --

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  make demo PERSON=me.jpg GARMENT=shirt.jpg tries it on your own pictures.'

setup: ## Install what the project runs on (once; again only when package-lock.json changed)
	@command -v npm >/dev/null || { echo 'Node.js 20 or newer with npm is needed: https://nodejs.org'; exit 1; }
	@cmp -s package-lock.json node_modules/.installed-lock || { \
	  echo 'Installing packages ...' && npm ci --loglevel=error && cp package-lock.json node_modules/.installed-lock; }

demo: setup ## See sessions run from task to picture, on an embedded database, and exit
	@$(WEARON) demo $${PERSON:+--person "$$PERSON"} $${GARMENT:+--garment "$$GARMENT"}

dev: setup ## Run the server on an embedded database until Ctrl-C
	@npm run --silent pose-models || true
	@$(WEARON) start

test: setup ## Run every check and test; as root on Debian, install the servers that tests need
	@scripts/services.sh
	@npm run --silent pose-models
	@npm --silent test

verify: setup ## Run every fast check: format, lint, types, unused code, room directions, unit tests
	@npm run --silent verify

clean: ## Remove what was installed and built; your data stays
	rm -rf node_modules coverage demo-output
