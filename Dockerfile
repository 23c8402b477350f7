# The system as one image; which part of it a container runs is said by ROLES. Node runs the TypeScript as it is: no build step.
# `npm run image-steps` runs these steps without Docker and starts what they make.

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --loglevel=error

# The networks of the body estimate, each checked by its SHA-256.
FROM packages AS weights
WORKDIR /app
COPY scripts/pose-models.ts ./scripts/
COPY src ./src
ENV POSE_MODELS=/app/weights
RUN node scripts/pose-models.ts

FROM node:24-bookworm-slim
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=weights /app/weights ./weights
COPY package.json ./
COPY supabase ./supabase
COPY src ./src
COPY ops/wearon /usr/local/bin/wearon
# What a run writes: images and the embedded database in /data. The rest may be mounted read-only.
RUN mkdir -p /data /app/compiled && chown node:node /data /app/compiled
ENV NODE_ENV=production
ENV NODE_COMPILE_CACHE=/app/compiled
ENV DATA_DIR=/data
ENV POSE_MODELS=/app/weights
ENV PORT=8000
VOLUME /data
EXPOSE 8000
USER node
# Compiled here rather than at each start, where Node would take 20 MB for it. It serves the same user and the same options only.
RUN node --disable-warning=ExperimentalWarning --max-semi-space-size=16 --max-old-space-size=768 --external-memory-accounted-in-global-limit --input-type=module --eval 'await import("./src/app/serve.ts")'
STOPSIGNAL SIGTERM
# Node asks itself, since the image has no curl. A process that is only not ready must not be killed: so it is /livez.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--disable-warning=ExperimentalWarning", "--max-semi-space-size=16", "--max-old-space-size=768", "--external-memory-accounted-in-global-limit", "src/main.ts"]
