"""Installs the registry's own admin site in place of Django's default one."""

from django.contrib.admin.apps import AdminConfig


class RegistryAdminConfig(AdminConfig):
    """Django's admin with our name, our sign-in rule and our start page."""

    default_site = "ownership.admin.site.RegistryAdminSite"
