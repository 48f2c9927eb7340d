# One image for the web server and every worker: the wheel, with the built frontend in it.
FROM node:20-slim AS frontend
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM python:3.11-slim AS wheel
WORKDIR /build
RUN pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml README.md ./
COPY inference inference
COPY rl_feedback rl_feedback
COPY platform platform
COPY --from=frontend /build/platform/deepmedix_review/static/viewer platform/deepmedix_review/static/viewer
RUN uv build --wheel --out-dir /dist

FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=deepmedix_review.config.settings \
    DEEPMEDIX_HOME=/data \
    HF_HUB_OFFLINE=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    DO_NOT_TRACK=1
RUN useradd --uid 10001 --create-home deepmedix && install -d -o deepmedix -g deepmedix /data
# torch first, so that nothing pulls in another build; PIP_EXTRA_INDEX_URL chooses a CPU build where no GPU is used.
ARG PIP_EXTRA_INDEX_URL=""
RUN pip install --no-cache-dir torch==2.13.0
COPY constraints.txt /tmp/constraints.txt
COPY --from=wheel /dist/*.whl /tmp/
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt /tmp/*.whl && rm /tmp/*.whl /tmp/constraints.txt
USER deepmedix
WORKDIR /data
VOLUME /data
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "8", "--no-ws", "deepmedix_review.config.wsgi:application"]
