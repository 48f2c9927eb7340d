"""A model on another server is asked as one in this process is, whatever the server and the line do.

The server is SIMULATED: a process of its own that speaks the protocol and runs no model.
"""

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference.engines import (
    Done,
    EndpointSettings,
    EngineError,
    Event,
    Failed,
    GenerationRequest,
    Shape,
    Stopped,
    Token,
    load_engine,
)
from inference.engines.chat_protocol import Answer, NotTheProtocol, TooLong
from inference.engines.retries import wait_seconds
from inference.images import prepare_image
from tests.factories.simulated_model_server import ANSWER, MODEL, SimulatedServer

FILM = np.random.default_rng(1).integers(0, 255, (600, 500), dtype=np.uint8)
SECRET = "sk-very-secret"


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedServer]:
    server = SimulatedServer()
    yield server
    server.kill()


@pytest.fixture
def settings(server: SimulatedServer) -> EndpointSettings:
    return EndpointSettings(
        url=f"{server.origin}/v1/", served_model=MODEL, key=SECRET, first_wait_seconds=0.001
    )


def ask(prompt: str, **fields: Any) -> GenerationRequest:
    wanted = {"temperature": 0.5, "seed": 7, "max_new_tokens": 50, **fields}
    return GenerationRequest(key=prompt, film=FILM, prompt=prompt, **wanted)


def answered(settings: EndpointSettings, *requests: GenerationRequest) -> list[Event]:
    return list(load_engine(settings).generate(requests))


def outcome(events: Sequence[Event]) -> Done | Failed | Stopped:
    (last,) = [event for event in events if not isinstance(event, Token)]
    return last


def test_a_question_alone_is_sent_as_plain_text(server: SimulatedServer, settings: EndpointSettings) -> None:
    done = outcome(answered(settings, replace(ask("Which report is better?"), film=None)))
    assert isinstance(done, Done)
    assert (done.text, done.model_size) == (ANSWER, (0, 0))
    assert server.log()["requests"][-1]["body"]["messages"] == [
        {"role": "user", "content": "Which report is better?"}
    ]


def test_an_answer_is_streamed_and_the_server_got_the_prepared_picture_before_the_question(
    server: SimulatedServer, settings: EndpointSettings
) -> None:
    events = answered(settings, ask("What is there?"))
    done = outcome(events)
    assert isinstance(done, Done)
    assert (done.text, done.ended, done.num_prompt_tokens) == (ANSWER, "stop", 300)
    assert [e.num_tokens for e in events if isinstance(e, Token)] == list(range(1, done.num_tokens + 1))
    (sent,) = server.asked("What is there?")
    assert sent["path"] == "/v1/chat/completions"
    assert sent["key"] == f"Bearer {SECRET}"
    image, text = sent["body"]["messages"][0]["content"]
    assert (text["text"], sent["body"]["seed"], sent["body"]["temperature"]) == ("What is there?", 7, 0.5)
    assert "structured_outputs" not in sent["body"]
    picture = Image.open(io.BytesIO(base64.b64decode(image["image_url"]["url"].split(",")[1])))
    expected = prepare_image(
        FILM, preparation="aspect", min_pixels=settings.min_pixels, max_pixels=settings.max_pixels
    )
    assert picture.size == done.model_size == expected.size
    assert np.array_equal(np.asarray(picture), np.asarray(expected))


@pytest.mark.parametrize("question", ["Look on", "[cut 1] Look on", "[thinks] Look on"])
def test_who_looks_on_is_told_the_text_so_far_anew_after_a_lost_connection(
    question: str, settings: EndpointSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.engines.text_so_far.SECONDS_BETWEEN_TEXTS", 0.0)
    events = answered(settings, ask(question, tells_text=True))
    done = outcome(events)
    assert isinstance(done, Done)
    told = [event.so_far for event in events if isinstance(event, Token) and event.so_far]
    assert {one.model_size for one in told} == {done.model_size}
    assert all(done.text.startswith(one.text) for one in told)
    texts = [one.text for one in told]
    assert texts[-1] == done.text
    # The first try broke off after two pieces.
    assert texts.count(texts[0]) == (2 if "cut" in question else 1)
    if "thinks" in question:
        assert texts[0] == "<think> The heart [1, 2, 3, 4] "
    quiet = answered(settings, ask(question))
    assert not any(event.so_far for event in quiet if isinstance(event, Token))


def test_many_are_in_flight_and_never_more_than_allowed(settings: EndpointSettings) -> None:
    own = SimulatedServer()
    try:
        few = replace(settings, url=f"{own.origin}/v1", num_in_flight=3)
        events = answered(few, *(ask(f"[{n}]") for n in range(20)))
        assert {e.key for e in events if isinstance(e, Done)} == {f"[{n}]" for n in range(20)}
        assert own.log()["num_most"] <= 3
    finally:
        own.kill()


@pytest.mark.parametrize("trouble", ["[busy 2]", "[ill 3]", "[cut 1]"])
def test_what_passes_is_tried_again(
    trouble: str, server: SimulatedServer, settings: EndpointSettings
) -> None:
    done = outcome(answered(settings, ask(f"{trouble} once")))
    assert isinstance(done, Done)
    assert done.text == ANSWER
    assert len(server.asked(f"{trouble} once")) == 1 + int(trouble[-2])


@pytest.mark.parametrize(
    ("prompt", "num_asked", "sentence"),
    [
        ("[busy 9] a", 4, "too much to do (429). It was asked 4 times."),
        ("[ill 9] a", 4, "answered with an error (503). It was asked 4 times."),
        ("[cut 9] a", 4, "lost in the middle. It was asked 4 times."),
        ("[error] a", 4, "broke off with an error of its own."),
        ("[long] a", 1, "wrote on past the "),
        ("[garbage] a", 1, "does not speak the OpenAI chat protocol."),
        ("[page] a", 1, "does not speak the OpenAI chat protocol."),
        ("[away] a", 1, "another address, which is not followed."),
        ("[bad] a", 1, "refuses the request (400): too long; key Bearer …"),
        ("[filter] a", 1, "filter kept its answer back."),
    ],
)
def test_what_does_not_pass_fails_with_a_sentence_and_the_others_are_answered(
    prompt: str, num_asked: int, sentence: str, server: SimulatedServer, settings: EndpointSettings
) -> None:
    events = answered(settings, ask(prompt), ask("well"))
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.key == prompt
    assert sentence in failed.reason
    assert SECRET not in failed.reason
    assert failed.reason.isprintable()
    assert [event.key for event in events if isinstance(event, Done)] == ["well"]
    assert len(server.asked(prompt)) == num_asked


def test_a_wrong_model_name_is_not_asked_for_again(settings: EndpointSettings) -> None:
    failed = outcome(answered(replace(settings, served_model="other"), ask("whom")))
    assert isinstance(failed, Failed)
    assert "has no model named other" in failed.reason


@pytest.mark.parametrize("silence", ["[slow]", "[mute]"])
def test_a_deadline_ends_a_request_that_goes_on_no_more(silence: str, settings: EndpointSettings) -> None:
    events = answered(settings, ask(silence, deadline_seconds=0.5), ask("[9] well", deadline_seconds=60.0))
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.reason.startswith("It was stopped after 0.5 s")
    assert [event.key for event in events if isinstance(event, Done)] == ["[9] well"]


def test_closing_breaks_the_connection_so_that_the_server_writes_no_more(settings: EndpointSettings) -> None:
    own = SimulatedServer()
    try:
        events = load_engine(replace(settings, url=f"{own.origin}/v1")).generate([ask("[slow]")])
        assert [event.num_tokens for event in islice(events, 2) if isinstance(event, Token)] == [1, 2]
        assert own.log()["num_now"] == 1
        events.close()
        assert list(events) == []
        # The server learns of it in its own time.
        assert any(own.log()["num_now"] == 0 for _ in range(1000))
    finally:
        own.kill()


@pytest.mark.parametrize("silence", ["[slow]", "[mute]"])
def test_a_request_that_is_taken_back_ends_alone(silence: str, settings: EndpointSettings) -> None:
    wanted = {silence, "[9] well"}
    requests, events = [ask(silence), ask("[9] well")], list[Event]()
    for event in load_engine(settings).generate(requests, is_wanted=wanted.__contains__):
        events.append(event)
        if isinstance(event, Done):
            wanted.remove(silence)
    assert [event.key for event in events if isinstance(event, Done)] == ["[9] well"]
    assert events[-1] == Stopped(silence)


def test_requests_are_drawn_as_there_is_room_for_them(settings: EndpointSettings) -> None:
    drawn = list[str]()

    def draw() -> Iterator[GenerationRequest]:
        for number in range(4):
            drawn.append(str(number))
            yield ask(str(number))

    events = load_engine(replace(settings, num_in_flight=2)).generate(draw())
    assert isinstance(next(events), Token)
    assert drawn == ["0", "1"]
    assert {event.key for event in events if isinstance(event, Done)} == {"0", "1", "2", "3"}


def test_a_server_killed_in_the_middle_is_asked_again_and_named(settings: EndpointSettings) -> None:
    own = SimulatedServer()
    events = load_engine(replace(settings, url=f"{own.origin}/v1")).generate([ask("[slow]")])
    assert isinstance(next(events), Token)
    own.kill()
    failed = outcome(list(events))
    assert isinstance(failed, Failed)
    assert "can't be reached. It was asked 4 times." in failed.reason


def test_reasoning_that_a_server_takes_out_of_the_text_is_put_back(settings: EndpointSettings) -> None:
    done = outcome(answered(settings, ask("[thinks]")))
    assert isinstance(done, Done)
    assert done.text == "<think> The heart [1, 2, 3, 4] </think>\\boxed{big}"


@pytest.mark.parametrize(("prompt", "num_asked"), [("[free] a", 2), ("in form a", 1)])
def test_an_answer_is_held_to_a_shape_only_after_it_could_not_be_read(
    prompt: str, num_asked: int, server: SimulatedServer, settings: EndpointSettings
) -> None:
    shape = Shape(regex="<think>.*", fits=lambda text: text.startswith("<think>"))
    done = outcome(answered(replace(settings, shape=shape), ask(prompt)))
    assert isinstance(done, Done)
    assert (done.text, done.is_shaped) == (ANSWER, num_asked == 2)
    asked = [one["body"].get("structured_outputs") for one in server.asked(prompt)]
    assert asked == [None, {"regex": "<think>.*"}][:num_asked]


@pytest.mark.parametrize(
    ("url", "origins", "sentence"),
    [
        ("http://169.254.169.254/v1", (), r"may be sent to 169\.254\.169\.254:80\."),
        ("https://models.example.org/v1", ("http://models.example.org",), "INFERENCE_ENDPOINTS"),
        (
            "https://models.example.org:444/v1",
            ("https://models.example.org",),
            r"models\.example\.org:444\. .*INFERENCE_ENDPOINTS: https://models\.example\.org\.",
        ),
        ("http://[fd00::1]/v1", (), r"may be sent to \[fd00::1\]:80\."),
        ("https://user:hidden@models.example.org/v1", ("https://models.example.org",), "No user name, pass"),
        ("http://hidden@127.0.0.1:8000/v1", (), "No user name, password"),
        ("http://127.0.0.1:8000/v1?key=hidden", (), r"query \(\?\) or fragment"),
        ("http://127.0.0.1:8000/v1#hidden", (), r"fragment \(#\) may be in the address"),
        ("http://127.0.0.1:8000/v1?", (), "No user name, password"),
        ("file:///etc/passwd", (), "no address"),
        ("http://127.0.0.1:99999999/v1", (), "no address"),
        ("models.example.org", (), "no address"),
    ],
)
def test_films_go_only_where_an_operator_said(url: str, origins: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence) as refusal:
        load_engine(EndpointSettings(url=url, served_model="x", origins=frozenset(origins)))
    assert "hidden" not in str(refusal.value)


def test_named_origins_are_allowed_and_settings_never_show_the_key() -> None:
    settings = EndpointSettings(
        url="https://models.example.org/v1",
        served_model="x",
        key=SECRET,
        origins=frozenset({"https://models.example.org"}),
    )
    load_engine(settings)
    assert SECRET not in repr(settings)
    with pytest.raises(EngineError, match="Name the model"):
        load_engine(replace(settings, served_model=""))


def test_waits_double_are_scattered_and_heed_the_server() -> None:
    for tries, most in ((1, 1.0), (2, 2.0), (3, 4.0)):
        waits = {wait_seconds(tries, {}, first=1.0) for _ in range(50)}
        assert most / 2 <= min(waits) < max(waits) <= most
    assert wait_seconds(1, {"Retry-After": "20"}, first=1.0) == 20
    assert wait_seconds(1, {"Retry-After": "99999"}, first=1.0) == 60
    assert wait_seconds(1, {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}, first=1.0) == 60
    assert wait_seconds(1, {"Retry-After": "soon"}, first=1.0) <= 1


def test_a_sign_that_came_in_two_halves_is_whole() -> None:
    answer = Answer(most_characters=100)
    for half in ("\\ud83d", "\\ude00", "\\ud800"):
        assert answer.take(f'{{"choices": [{{"delta": {{"content": "{half}"}}}}]}}')
    assert answer.text == "\U0001f600\ufffd"


@pytest.mark.parametrize(
    "data", ["", "3", "{}", '{"choices": 3}', '{"choices": ["a"]}', "[" * 100_000, '{"choices": [[]]}']
)
def test_what_is_no_event_of_the_protocol_is_named(data: str) -> None:
    with pytest.raises(NotTheProtocol):
        Answer(most_characters=100).take(data)


def test_no_text_grows_past_what_its_tokens_could_hold() -> None:
    answer = Answer(most_characters=3)
    with pytest.raises(TooLong):
        answer.take('{"choices": [{"delta": {"content": "abcd"}}]}')
