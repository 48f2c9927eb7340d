"""The layouts that can be brought in. A new one is a module of its own and a line here."""

from deepmedix_review.studies.known_sets.chexpert import SOURCE as CHEXPERT
from deepmedix_review.studies.known_sets.chexpert import read_chexpert
from deepmedix_review.studies.known_sets.chexpert_plus import SOURCE as CHEXPERT_PLUS
from deepmedix_review.studies.known_sets.chexpert_plus import read_chexpert_plus
from deepmedix_review.studies.known_sets.iu_xray import SOURCE as IU
from deepmedix_review.studies.known_sets.iu_xray import read_iu
from deepmedix_review.studies.known_sets.mimic_cxr_jpg import SOURCE as MIMIC
from deepmedix_review.studies.known_sets.mimic_cxr_jpg import read_mimic
from deepmedix_review.studies.known_sets.nih_chestxray14 import SOURCE as NIH
from deepmedix_review.studies.known_sets.nih_chestxray14 import read_nih
from deepmedix_review.studies.known_sets.padchest import SOURCE as PADCHEST
from deepmedix_review.studies.known_sets.padchest import read_padchest
from deepmedix_review.studies.known_sets.said import Layout
from deepmedix_review.studies.known_sets.table import read_table
from deepmedix_review.studies.known_sets.vindr_cxr import SOURCE as VINDR
from deepmedix_review.studies.known_sets.vindr_cxr import read_vindr
from deepmedix_review.studies.known_sets.xraybench import SOURCE as XRAYBENCH
from deepmedix_review.studies.known_sets.xraybench import read_xraybench

LAYOUTS = {
    layout.key: layout
    for layout in (
        Layout("table", "PNG or JPEG files with a metadata.csv of your own", read_table),
        Layout("nih-chestxray14", "Data_Entry_2017.csv, BBox_List_2017.csv, images", read_nih, NIH),
        Layout("mimic-cxr-jpg", "mimic-cxr-2.0.0-metadata.csv, files, reports beside", read_mimic, MIMIC),
        Layout("chexpert", "train.csv, valid.csv, JPEG files below train and valid", read_chexpert, CHEXPERT),
        Layout(
            "chexpert-plus",
            "df_chexpert_plus_240401.csv, impression_fixed.json, PNG or train and valid",
            read_chexpert_plus,
            CHEXPERT_PLUS,
        ),
        Layout("iu-xray", "ecgen-radiology with XML reports, NLMCXR_png", read_iu, IU),
        Layout("vindr-cxr", "annotations with two tables for each of train and test", read_vindr, VINDR),
        Layout("padchest", "PADCHEST table, films, grounded_reports beside", read_padchest, PADCHEST),
        Layout(
            "xraybench",
            "Parquet, JSON lines or JSON files of Qika/xraybench, with pictures in them or beside",
            read_xraybench,
            XRAYBENCH,
            read_xraybench,
        ),
    )
}
