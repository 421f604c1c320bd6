"""Scorecards of a store: how good its data is, where the faults are and what they cost."""

from crm_quality.audit.card import Scorecard
from crm_quality.audit.figures import figures
from crm_quality.audit.html import render_html
from crm_quality.audit.masking import masked, masked_issues, screened
from crm_quality.audit.scorecard import scorecard
from crm_quality.audit.terminal import render_terminal

__all__ = [
    "Scorecard",
    "figures",
    "masked",
    "masked_issues",
    "render_html",
    "render_terminal",
    "scorecard",
    "screened",
]
