# smack in a container: built in one stage, run in another by nobody in particular. `docker compose up` starts it.
FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends libclang-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package smack --package libmesos

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/smack --create-home smack
COPY --from=build /src/target/release/smack /usr/local/bin/smack
COPY --from=build /src/target/release/libmesos.so /usr/local/lib/libmesos.so
USER smack
WORKDIR /var/lib/smack
VOLUME /var/lib/smack
ENV SMACK_HOST=0.0.0.0 SMACK_DATA_DIR=/var/lib/smack/data
# Kafka, CQL, the Mesos master and its agent, operators.
EXPOSE 9092 9042 5050 5051 9644
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["curl", "-fs", "http://127.0.0.1:9644/readyz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["smack"]
CMD ["up"]
