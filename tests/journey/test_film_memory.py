"""What a film takes of the browser's memory is given back when the next one is read."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from playwright.sync_api import BrowserContext, Page, Route

from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.study_services import create_reader_study
from tests.browser import open_as
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import complete
from tests.factories.studies import store_phantom
from tests.reading_room import HEART

SIDE = 1600
# The case on the screen and the one behind it: stored values take two bytes a pixel, the painted greys and
# what is drawn of them one each.
BYTES_OF_TWO = 2 * (2 + 1 + 1) * SIDE**2
NUM_CASES = 9
MARKED = "([name, uid]) => performance.getEntriesByName(name).some(mark => mark.detail === uid)"
# vtk.js keeps a lookup table of four kilobytes a film, so that only what has a film's size is counted.
COUNT_TEXTURES = """
(() => {
  const size = new Map();
  const {deleteTexture, bindTexture, texImage2D, texStorage2D} = WebGL2RenderingContext.prototype;
  let bound = null;
  const sized = (original) => function (...all) {
    size.set(bound, all[3] * all[4]);
    return original.apply(this, all);
  };
  Object.assign(WebGL2RenderingContext.prototype, {
    bindTexture(target, texture) {
      bound = texture;
      return bindTexture.call(this, target, texture);
    },
    deleteTexture(texture) {
      size.delete(texture);
      return deleteTexture.call(this, texture);
    },
    texImage2D: sized(texImage2D),
    texStorage2D: sized(texStorage2D),
  });
  window.numTextures = (least) => [...size.values()].filter((pixels) => pixels >= least).length;
})();
"""
KEEP_CODEC = """
const {instantiate, instantiateStreaming} = WebAssembly;
const kept = (made) => {
  self.codecMemory = Object.values(made.instance.exports).find((part) => part instanceof WebAssembly.Memory);
  return made;
};
WebAssembly.instantiate = (...all) => instantiate(...all).then(kept);
WebAssembly.instantiateStreaming = (...all) => instantiateStreaming(...all).then(kept);
"""


@dataclass(frozen=True)
class Memory:
    """`codec_bytes` is all that the decoder's machine code has, in its workers."""

    num_textures: int
    num_workers: int
    buffer_bytes: int
    codec_bytes: int


def memory_of(page: Page) -> Memory:
    """After what nobody holds any more was collected."""
    return Memory(
        num_textures=page.evaluate("least => numTextures(least)", SIDE**2),
        num_workers=len(page.workers),
        buffer_bytes=_buffer_bytes(page),
        codec_bytes=sum(worker.evaluate("codecMemory.buffer.byteLength") for worker in page.workers),
    )


def _buffer_bytes(page: Page) -> int:
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    used = devtools.send("Runtime.getHeapUsage")
    devtools.detach()
    return int(used["backingStorageSize"])


def keep_codec(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=KEEP_CODEC + answer.text())


def test_reading_case_after_case_takes_no_more_memory(live_server: Any, context: BrowserContext) -> None:
    reader, model_version = ExpertFactory.create(), ServingModelFactory.create()
    films = [store_phantom(seed=seed, size=SIDE) for seed in range(NUM_CASES)]
    for film in films:
        say(film, steps=[HEART], answer="cardiomegaly", model_version=model_version)
    studies = [film.study for film in films]
    create_reader_study(title="One by one", studies=studies, readers=[reader], actor=None, seed=1)
    readings = list(Reading.objects.filter(assignment__reader=reader).order_by("assignment__position"))
    for reading in readings:
        complete(reading)
    context.add_init_script(COUNT_TEXTURES)
    page = open_as(reader, context=context, url=live_server.url)
    page.route("**/decoding-worker-*.js", keep_codec)
    page.goto(f"{live_server.url}/readings/{readings[0].uid}/")
    taken: list[Memory] = []
    for shown, following in pairwise(readings):
        if taken:
            page.keyboard.press("Control+Enter")
            page.wait_for_function(MARKED, arg=["next-case-shown", str(shown.uid)], timeout=60_000)
        page.wait_for_function(MARKED, arg=["next-case-ready", str(following.uid)], timeout=60_000)
        taken.append(memory_of(page))
    first, last = taken[0], taken[-1]
    assert last.num_workers == 1
    assert last.num_textures == 2
    assert BYTES_OF_TWO <= last.buffer_bytes < 1.5 * BYTES_OF_TWO
    assert last.codec_bytes == first.codec_bytes > 0
