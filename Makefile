# diskann: build, install, test, demonstrate
#
#	make                    build diskann.so
#	make install            install it (DESTDIR is respected)
#	make demo               see it work, from an empty machine; DATA=file has it
#	                        work on vectors of your own
#	make test               every test there is
#	make lint               what tools can tell of the sources
#	make gate               has anything become worse that can be counted?
#	make bench              measure, BENCH="options of test/bench/run.sh"
#	make bench-peers        the same beside pgvector, in a Debian 13 root
#	make bench-churn        how good an index stays, CHURN="arguments of churn.py"
#	make bench-planner      are the fastest plans chosen? PLANNER="of planner.py"
#	make bench-ingest       what adding rows costs, INGEST="arguments of ingest.py"
#	make bench-scale        how builds and searches grow, SCALE="of scale.py"
#	make test-matrix        tests on other versions of PostgreSQL, with pgvector
#	make deb                Debian packages, into build/deb
#	make dist               the archive that PGXN takes, into build
#	make test-package       are these right, installed in clean roots?
#
#	PG_CONFIG=/path/to/pg_config    which PostgreSQL to build for
#	STRICT=1                        assertions, pause points for tests, and
#	                                every warning an error
#	OPTFLAGS=...                    optimisation (default -O3)

# These install what they need, PostgreSQL included, and build in a copy of this
# directory; so they must not depend on anything being there.
STANDALONE = demo test test-matrix lint gate bench bench-peers \
	bench-churn bench-planner bench-ingest bench-scale deb dist test-package
.PHONY: $(STANDALONE)

ifeq (,$(filter-out $(STANDALONE),$(or $(MAKECMDGOALS),all)))

export PG_CONFIG DATA QUERIES OPERATOR

demo:
	@bash test/demo.sh

test:
	@bash test/run.sh

gate:
	@UPDATE="$(UPDATE)" bash test/gate.sh

lint:
	@bash test/lint.sh

test-matrix:
	@bash test/matrix.sh

deb:
	@bash test/package/deb.sh

dist:
	@bash test/package/dist.sh

test-package:
	@bash test/package.sh

BENCH = --preset quick

bench:
	@bash test/bench/run.sh --install --out build/bench $(BENCH)

bench-peers:
	@bash test/bench/peers.sh --out build/bench-peers $(BENCH)

CHURN = drift

bench-churn:
	@bash test/bench/run.sh --install --churn "$(CHURN)"

PLANNER = --rows 2000,100000

bench-planner:
	@bash test/bench/run.sh --install --planner "$(PLANNER)"

bench-ingest:
	@bash test/bench/run.sh --install --ingest "$(INGEST)"

bench-scale:
	@bash test/bench/run.sh --install --scale "$(SCALE)"

else

EXTENSION = $(basename $(wildcard *.control))
MODULE_big = diskann
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))
SCRIPTS_SQL = $(wildcard sql/*--*.sql)
DATA = $(SCRIPTS_SQL)

# What needs pgvector is tested apart.  The environment may name fewer tests.
ifdef PGVECTOR_TESTS
REGRESS ?= $(sort $(notdir $(basename $(wildcard test/pgvector/sql/*.sql))))
REGRESS_OPTS = --inputdir=$(srcdir)/test/pgvector \
	--outputdir=$(srcdir)/output_pgvector
else
REGRESS ?= $(sort $(notdir $(basename \
	$(filter-out $(SCRIPTS_SQL),$(wildcard sql/*.sql)))))
endif
ISOLATION ?= $(sort $(notdir $(basename $(wildcard test/isolation/specs/*.spec))))
ISOLATION_OPTS = --inputdir=$(srcdir)/test/isolation --load-extension=diskann
TAP_TESTS = 1
PROVE_TESTS ?= test/t/*.pl test/bench/t/*.pl

# No -march: one binary serves every machine, the kernels choose at run time.
OPTFLAGS = -O3
PG_CPPFLAGS = -Isrc
PG_CFLAGS = $(OPTFLAGS)
SHLIB_LINK = -lm

ifdef STRICT
PG_CPPFLAGS += -DUSE_ASSERT_CHECKING -DDISKANN_PAUSE_POINTS
PG_CFLAGS += -Wall -Wextra -Wshadow -Werror -Wno-unused-parameter
endif

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq (,$(wildcard $(PGXS)))
$(error "$(PG_CONFIG) --pgxs" names no file: install PostgreSQL's server \
development files (Debian: apt-get install postgresql-server-dev-15), or name \
another one with PG_CONFIG=...; "make demo" and "make test" install them)
endif
# JIT inlining has nothing to gain here, and bitcode would need clang.
override with_llvm = no

include $(PGXS)

# Some packages of PostgreSQL are configured without dependency tracking: an
# edited header has to rebuild everything.
$(OBJS): $(wildcard src/*.h src/*/*.h) Makefile

endif
