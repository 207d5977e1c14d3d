# PostgreSQL's official image with diskann:
#
#	docker build -t diskann .
#	docker run -e POSTGRES_PASSWORD=secret -p 127.0.0.1:5432:5432 diskann
#
# Then CREATE EXTENSION diskann.  Any image of that layout will do as the base, in
# which PG_MAJOR is set and packages of that version can be had: for pgvector's
# types, --build-arg BASE=pgvector/pgvector:pg17.

ARG BASE=postgres:17

FROM ${BASE} AS build
COPY . /usr/src/diskann
RUN set -eu; \
	apt-get update; \
	apt-get install -y --no-install-recommends \
		gcc libc6-dev make "postgresql-server-dev-$PG_MAJOR"; \
	config=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config; \
	cd /usr/src/diskann; \
	make clean "PG_CONFIG=$config"; \
	make -j "$(nproc)" "PG_CONFIG=$config"; \
	make install "PG_CONFIG=$config" DESTDIR=/out

FROM ${BASE}
COPY --from=build /out /
