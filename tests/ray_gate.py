"""`python ray_gate.py FD FOLDER CPUS PORTS`, inside the network of a test's cluster: starts Ray there, and
passes what comes in on the inherited socket FD, which listens outside, on to Ray's job API. A line
`CPUS PORT` on its input starts one more node, whose agent listens on that port."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> None:
    descriptor, folder, num_cpus, *ports = arguments
    if not ports:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    port, dashboard_port, client_port = ports or ("6379", "8265", "10001")
    node = subprocess.Popen(
        [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"),
            *("--node-ip-address", "127.0.0.1", "--port", port, "--disable-usage-stats"),
            *("--dashboard-host", "127.0.0.1", "--dashboard-port", dashboard_port),
            *("--ray-client-server-port", client_port),
            *("--num-cpus", num_cpus, "--num-gpus", "0", "--object-store-memory", str(10**8)),
            *("--temp-dir", f"{folder}/ray"),
        ]
    )
    threading.Thread(target=lambda: os._exit(node.wait() or 1), daemon=True).start()
    threading.Thread(target=_add_nodes, args=(port,), daemon=True).start()
    listener = socket.socket(fileno=int(descriptor))
    while True:
        outside, _ = listener.accept()
        try:
            inside = socket.create_connection(("127.0.0.1", int(dashboard_port)))
        except OSError:
            outside.close()
            continue
        for source, target in ((outside, inside), (inside, outside)):
            threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _add_nodes(port: str) -> None:
    """Beside the head on one machine: every port that two nodes would both take by default is chosen."""
    for line in sys.stdin:
        num_cpus, agent_port = line.split()
        subprocess.Popen(
            [
                *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block"),
                *("--address", f"127.0.0.1:{port}", "--node-ip-address", "127.0.0.1"),
                *("--num-cpus", num_cpus, "--num-gpus", "0", "--object-store-memory", str(10**8)),
                *("--dashboard-agent-listen-port", agent_port, "--disable-usage-stats"),
                *("--min-worker-port", "0", "--max-worker-port", "0"),
            ],
            stdin=subprocess.DEVNULL,
        )


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while content := source.recv(65536):
            target.sendall(content)
    except OSError:
        pass
    for one in (source, target):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


if __name__ == "__main__":
    main(sys.argv[1:])
