"""How far readers agree, with each other and with themselves, and how sure that is.

Every function takes plain numbers (NaN for gaps) and returns a frozen result: `.value`, `.interval` where
one exists, `.note` where something must be said, and what it was computed from. Nothing returns NaN: where a
figure does not exist its value is None and the note says why.
"""

from rl_feedback.agreement.alpha import KrippendorffAlpha, Level, krippendorff_alpha
from rl_feedback.agreement.chance import ChanceCorrected, fleiss_kappa, gwet_ac1, gwet_ac2
from rl_feedback.agreement.clusters import (
    Clustered,
    PairedDifference,
    clustered_mean,
    clustered_share,
    paired_difference,
)
from rl_feedback.agreement.concordance import KendallW, kendall_w
from rl_feedback.agreement.detectable import (
    ClusterSpread,
    detectable_difference,
    detectable_difference_of_groups,
    spread_in_clusters,
)
from rl_feedback.agreement.estimate import Estimate
from rl_feedback.agreement.intraclass import FORMS, IntraclassCorrelation, icc
from rl_feedback.agreement.kappa import CohenKappa, cohen_kappa
from rl_feedback.agreement.mrmc import (
    JackknifeCovariances,
    MrmcComparison,
    TreatmentDifference,
    jackknife_covariances,
    mrmc_or,
)
from rl_feedback.agreement.mrmc_means import MeanCovariances, mean_covariances
from rl_feedback.agreement.observers import DawidSkene, dawid_skene
from rl_feedback.agreement.regions import (
    MatchedRegions,
    RegionAgreement,
    iou_matrix,
    match_regions,
    region_agreement,
)
from rl_feedback.agreement.tally import Tally, tally_counts
from rl_feedback.agreement.votes import SideBias, side_bias

__all__ = [
    "FORMS",
    "ChanceCorrected",
    "ClusterSpread",
    "Clustered",
    "CohenKappa",
    "DawidSkene",
    "Estimate",
    "IntraclassCorrelation",
    "JackknifeCovariances",
    "KendallW",
    "KrippendorffAlpha",
    "Level",
    "MatchedRegions",
    "MeanCovariances",
    "MrmcComparison",
    "PairedDifference",
    "RegionAgreement",
    "SideBias",
    "Tally",
    "TreatmentDifference",
    "clustered_mean",
    "clustered_share",
    "cohen_kappa",
    "dawid_skene",
    "detectable_difference",
    "detectable_difference_of_groups",
    "fleiss_kappa",
    "gwet_ac1",
    "gwet_ac2",
    "icc",
    "iou_matrix",
    "jackknife_covariances",
    "kendall_w",
    "krippendorff_alpha",
    "match_regions",
    "mean_covariances",
    "mrmc_or",
    "paired_difference",
    "region_agreement",
    "side_bias",
    "spread_in_clusters",
    "tally_counts",
]
