# syntax=docker/dockerfile:1
# One image, one file in it: the wisbot binary. `docker build -t wisbot --build-arg WISBOT_COMMIT=$(git rev-parse --short=12 HEAD) .`
# Both architectures: `docker buildx build --platform linux/amd64,linux/arm64 …`; the build itself runs on the
# builder's own, and Bun cross-compiles.

# The version of package.json's packageManager; deployment.test.ts compares.
FROM --platform=$BUILDPLATFORM oven/bun:1.4.5-slim AS build
WORKDIR /src
COPY package.json bun.lock bunfig.toml ./
RUN --mount=type=cache,target=/root/.bun/install/cache bun install --frozen-lockfile
COPY . .
ARG BUILDARCH
ARG TARGETARCH
# The context has no .git.
ARG WISBOT_COMMIT=unknown
RUN case "$TARGETARCH" in \
      "$BUILDARCH") target= ;; \
      amd64) target=--target=bun-linux-x64 ;; \
      arm64) target=--target=bun-linux-arm64 ;; \
      *) echo "no wisbot for $TARGETARCH: amd64 and arm64 only" >&2; exit 1 ;; \
    esac \
    && bun run build --outfile=/out/wisbot $target \
    && mkdir /out/data

# glibc, certificates and a user; no shell, no package manager. The binary links glibc and nothing else.
FROM gcr.io/distroless/base-debian12:nonroot
COPY --from=build /out/wisbot /usr/local/bin/wisbot
# A named volume takes owner and mode from here when it is first used.
COPY --from=build --chown=65532:65532 --chmod=700 /out/data /data
# config.yaml is read, or written on the first start, in the working folder; /etc/wisbot/config.yaml is found too.
WORKDIR /data
ENV WISBOT_DATA_DIR=/data \
    WISBOT_WEB__HOST=0.0.0.0
VOLUME /data
EXPOSE 8080
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 CMD ["/usr/local/bin/wisbot", "health"]
ENTRYPOINT ["/usr/local/bin/wisbot"]
CMD ["serve"]
