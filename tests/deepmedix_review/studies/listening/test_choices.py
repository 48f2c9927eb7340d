"""What the settings of a listener may say: what can't be is refused with the way out."""

import re

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from deepmedix_review.studies.listening.choices import CannotListen, read_choices

PLAIN = {
    "DICOM_AE_TITLE": "DEEPMEDIX",
    "DICOM_HOST": "127.0.0.1",
    "DICOM_PORT": "11112",
    "DICOM_PEERS": "127.0.0.0/8,::1",
    "DICOM_CALLERS": "",
    "DICOM_PROFILES": "",
    "DICOM_MAX_ASSOCIATIONS": "10",
    "DICOM_MAX_PDU_BYTES": "131072",
    "DICOM_IDLE_SECONDS": "60",
}


def test_without_settings_this_machine_alone_is_let_in():
    assert set(settings.DICOM_LISTENER) == set(PLAIN)
    choices = read_choices(PLAIN)
    assert choices.lets_in("127.0.0.1")
    assert choices.lets_in("::1")
    assert choices.lets_in("::ffff:127.0.0.1")
    assert not choices.lets_in("10.0.0.1")
    assert not choices.lets_in("a name")


def test_peers_and_callers_are_listed_with_commas():
    told = {"DICOM_HOST": "0.0.0.0", "DICOM_PEERS": "10.1.0.0/16, 192.168.1.7", "DICOM_CALLERS": "PACS, CT 1"}
    choices = read_choices(PLAIN | told)
    assert choices.callers == ("PACS", "CT 1")
    assert [choices.lets_in(one) for one in ("10.1.9.9", "192.168.1.7", "192.168.1.8")] == [True, True, False]


def test_a_caller_may_have_a_profile_of_its_own():
    told = {"DICOM_CALLERS": "PACS,CT 1", "DICOM_PROFILES": "CT 1=keep-device, PACS = research"}
    assert read_choices(PLAIN | told).profiles == {"CT 1": "keep-device", "PACS": "research"}
    with pytest.raises(CannotListen, match="names MR, which DICOM_CALLERS does not let call"):
        read_choices(PLAIN | told | {"DICOM_PROFILES": "MR=research"})


@pytest.mark.parametrize(
    ("name", "told", "sentence"),
    [
        ("DICOM_PROFILES", "PACS=none", "Name one of these: research, keep-dates-shifted, keep-device"),
        ("DICOM_PROFILES", "PACS", "Write AE title=profile"),
        ("DICOM_PROFILES", "=research", "is no AE title"),
        ("DICOM_AE_TITLE", "", "is no AE title"),
        ("DICOM_AE_TITLE", "SEVENTEEN LETTERS", "1 to 16 plain characters"),
        ("DICOM_AE_TITLE", "A\\B", "without a backslash"),
        ("DICOM_AE_TITLE", "   ", "is no AE title"),
        ("DICOM_CALLERS", "PACS,Ä", "DICOM_CALLERS holds what is no AE title: 'Ä'"),
        ("DICOM_HOST", "pacs.example", "DICOM_HOST is no address"),
        ("DICOM_HOST", "0.0.0.0", "opens the listener to a network"),
        ("DICOM_PEERS", "", "names nobody"),
        ("DICOM_PEERS", "10.1.2.3/24", "no address or network: '10.1.2.3/24'"),
        ("DICOM_PORT", "0", "from 1 to 65535"),
        ("DICOM_PORT", "dicom", "DICOM_PORT is 'dicom'"),
        ("DICOM_MAX_ASSOCIATIONS", "-1", "from 1 to 1000"),
        ("DICOM_MAX_PDU_BYTES", "0", "from 4096"),
        ("DICOM_IDLE_SECONDS", "0", "from 1 to 3600"),
    ],
)
def test_a_setting_that_can_not_be_is_refused_with_the_way_out(name, told, sentence):
    with pytest.raises(CannotListen, match=re.escape(sentence)):
        read_choices(PLAIN | {name: told})


def test_the_command_refuses_to_start_with_that_sentence(settings):
    settings.DICOM_LISTENER = PLAIN | {"DICOM_PORT": "none"}
    with pytest.raises(CommandError, match="DICOM_PORT is 'none'"):
        call_command("dicom_listener")
