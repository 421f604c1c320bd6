"""The CRM model on top of the store: views that say what holds of each customer."""

from crm_quality.crm.views import make_views

__all__ = ["make_views"]
