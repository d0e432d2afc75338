# One image for every process of Hookvitals: `up` runs all three, `collector`, `worker` and `dashboard` one each.
FROM python:3.12-slim AS build
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY sdk sdk
COPY alerts alerts
COPY monitor monitor
COPY dashboard dashboard
RUN python -m venv /opt/hookvitals \
    && /opt/hookvitals/bin/pip install --no-cache-dir --constraint constraints.txt ./sdk '.[apprise,postgres]'

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home --home-dir /var/lib/hookvitals hookvitals \
    && install --directory --owner hookvitals --mode 0700 /var/lib/hookvitals/data
COPY --from=build /opt/hookvitals /opt/hookvitals
# Inside a container loopback reaches nobody; publish the ports on the host's loopback, or behind a proxy.
ENV PATH=/opt/hookvitals/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOOKVITALS_DATA_DIR=/var/lib/hookvitals/data \
    HOOKVITALS_COLLECTOR_HOST=0.0.0.0 \
    HOOKVITALS_DASHBOARD_HOST=0.0.0.0
USER hookvitals
WORKDIR /var/lib/hookvitals
VOLUME /var/lib/hookvitals/data
EXPOSE 8700 8701
ENTRYPOINT ["hookvitals"]
CMD ["up"]
