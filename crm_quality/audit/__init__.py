"""Scorecards of a store: how good its data is, where the faults are and what they cost."""

from crm_quality.audit.card import Scorecard
from crm_quality.audit.figures import figures
from crm_quality.audit.html import render_html
from crm_quality.audit.listing import Choice, Figure, FigureRows, figure_index, figure_rows
from crm_quality.audit.masking import masked, masked_issues, screened
from crm_quality.audit.scorecard import scorecard
from crm_quality.audit.terminal import render_terminal
from crm_quality.audit.terms import Terms

__all__ = [
    "Choice",
    "Figure",
    "FigureRows",
    "Scorecard",
    "Terms",
    "figure_index",
    "figure_rows",
    "figures",
    "masked",
    "masked_issues",
    "render_html",
    "render_terminal",
    "scorecard",
    "screened",
]
