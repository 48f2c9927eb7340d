"""How many films of 15 MB a second reach a browser: by Django, by nginx for Django, beside nginx alone."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer
from benchmarks.web import Address, answers, free_port, getter, log_in, per_second, web_server

FILM_BYTES = 15 * 1024**2
NUM_CLIENTS = 4
NUM_EACH = 30

NGINX = """
daemon off; master_process off; worker_processes 1; pid {home}/run/nginx.pid; error_log {home}/logs/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; tcp_nopush on; default_type application/dicom;
  client_body_temp_path {home}/run/nginx-body; proxy_temp_path {home}/run/nginx-proxy;
  fastcgi_temp_path {home}/run/nginx-1; uwsgi_temp_path {home}/run/nginx-2; scgi_temp_path {home}/run/nginx-3;
  server {{
    listen 127.0.0.1:{port};
    location /alone/ {{ alias {home}/films/; }}
    location /films/ {{ internal; alias {home}/films/; }}
    location / {{ proxy_pass http://127.0.0.1:{web_port}; proxy_set_header Host localhost; }}
  }}
}}
"""


def run() -> list[Figure]:
    with private_installation() as home:
        (home / "films" / "film.dcm").write_bytes(os.urandom(FILM_BYTES))
        path, cookies = _film_and_cookies()
        with web_server(home, FILM_SERVER="nginx") as web_port, _nginx(home, web_port) as nginx_port:
            alone = _films_per_second(Address(nginx_port, "/alone/film.dcm"))
            by_nginx = _films_per_second(Address(nginx_port, path, cookies))
        with web_server(home, FILM_SERVER="django") as web_port:
            by_django = _films_per_second(Address(web_port, path, cookies))
        peer = Peer("nginx sending the same file as a static one, no questions asked", alone)
        number = NUM_CLIENTS * NUM_EACH
        return [
            Figure("films of 15 MB, checked by Django, sent by nginx", by_nginx, "per second", peer, number),
            Figure("films of 15 MB, checked and sent by granian", by_django, "per second", peer, number),
        ]


def _films_per_second(address: Address) -> float:
    get = getter([address] * NUM_CLIENTS, num_bytes=FILM_BYTES)
    per_second(get, num_clients=NUM_CLIENTS, num_each=2)
    return per_second(get, num_clients=NUM_CLIENTS, num_each=NUM_EACH)


def _film_and_cookies() -> tuple[str, str]:
    """A film's address, and a session that may see it. The bytes are no film: nobody looks into them here."""
    from tests.factories.accounts import AdminFactory
    from tests.factories.studies import InstanceFactory

    film = InstanceFactory.create(file_path="film.dcm", file_bytes=FILM_BYTES)
    return f"/api/instances/{film.uid}/film/", log_in(AdminFactory.create())


@contextmanager
def _nginx(home: Path, web_port: int) -> Iterator[int]:
    from deepmedix_review.config.processes import CannotStart, await_ready, spawn, stop

    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        raise CannotStart("This benchmark compares with nginx: install it (`apt install nginx-light`).")
    port = free_port()
    configuration = home / "run" / "nginx.conf"
    configuration.write_text(NGINX.format(home=home, port=port, web_port=web_port), "ascii")
    log = home / "logs" / "nginx.log"
    process = spawn([program, "-c", str(configuration)], log=log, death_signal=signal.SIGTERM)
    try:
        await_ready(lambda: answers(port), process=process, name="nginx", log=log, deadline_seconds=20)
        yield port
    finally:
        stop(process, patience_seconds=5)
