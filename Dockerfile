# A server for visitors; docs/serving.md says how it is run. Docker and Podman build it as it is.
FROM python:3.13-slim
# Its home is where shared catalogues and added libraries stay: a volume, to keep them.
RUN useradd --create-home --home-dir /var/lib/sspexplorer sspexplorer
ENV SSPEXPLORER_DATA=/var/lib/sspexplorer
# The source is only looked at: what is installed belongs to root, and the server cannot change it.
RUN --mount=type=bind,target=/source pip install --no-cache-dir \
    --extra-index-url https://download.pytorch.org/whl/cpu \
    --constraint /source/constraints.txt /source
USER sspexplorer
WORKDIR /var/lib/sspexplorer
EXPOSE 5006
HEALTHCHECK --start-period=120s --timeout=10s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:5006/health', timeout=5)"]
ENTRYPOINT ["sspexplorer", "serve", "--address", "0.0.0.0", "--json-logs"]
CMD ["--workers", "2"]
