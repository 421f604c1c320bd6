"""The CRM model on top of the store: views that say what holds of each customer."""

from crm_quality.crm.declared import declare_process, declare_service
from crm_quality.crm.hours import Service
from crm_quality.crm.views import make_views, view_files

__all__ = ["Service", "declare_process", "declare_service", "make_views", "view_files"]
