"""What is asked for where a model is to say something: how many completions, and by which draws."""

from django import forms

from deepmedix_review.common.forms import PlainForm
from deepmedix_review.reasoning.sampling import LAST_SEED, MOST_SAMPLES, Sampling
from deepmedix_review.registry.wanted import HOTTEST


class SamplingForm(PlainForm):
    """An empty field is as `Sampling` says."""

    num_samples = forms.IntegerField(
        label="Completions",
        required=False,
        min_value=1,
        max_value=MOST_SAMPLES,
        initial=Sampling.num_samples,
    )
    temperature = forms.FloatField(
        label="Temperature",
        required=False,
        min_value=0,
        max_value=HOTTEST,
        help_text="Left empty: the model’s own. 0: the likeliest words, one completion.",
    )
    first_seed = forms.IntegerField(
        label="First seed",
        required=False,
        min_value=1,
        max_value=LAST_SEED,
        initial=Sampling.first_seed,
        help_text="Each completion has the next one. The same seed gives the same text again.",
    )

    def sampling(self) -> Sampling:
        """Once it is valid."""
        said = self.cleaned_data
        return Sampling(
            num_samples=said["num_samples"] or Sampling.num_samples,
            temperature=said["temperature"],
            first_seed=said["first_seed"] or Sampling.first_seed,
        )
