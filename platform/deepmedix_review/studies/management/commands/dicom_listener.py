"""Runs the listener to which PACS and modalities send films over the DICOM network."""

import signal
import socket
import warnings
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from deepmedix_review.studies.listening.choices import CannotListen, read_choices
from deepmedix_review.studies.listening.listener import Listener


class Command(BaseCommand):
    help = (
        "Listen for films over the DICOM network: C-ECHO and C-STORE. Who may send, and where it listens, is "
        "said by the settings DICOM_… Ends at SIGTERM or Ctrl-C, after the films that are being stored."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        # Those of pydicom quote the values that it doubts, and logs must hold no name.
        warnings.filterwarnings("ignore", module=r"pydicom|pynetdicom")
        ending = _await_ending()
        try:
            listener = Listener(read_choices(settings.DICOM_LISTENER))
            listener.start()
        except CannotListen as error:
            raise CommandError(str(error)) from error
        choices = listener.choices
        self.stdout.write(f"Listening as {choices.ae_title} on {choices.host} port {choices.port}.")
        self.stdout.flush()
        ending.recv(1)
        self.stdout.write("Stopping, once the films that are being stored are told of.")
        self.stdout.flush()
        listener.stop()


def _await_ending() -> socket.socket:
    """It can be read from once the process is asked to end, whichever of its threads hears of that."""
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reading
