"""The files by which a package runs in a container: Docker, docker compose, Prometheus, Grafana, Kubernetes, KServe."""
