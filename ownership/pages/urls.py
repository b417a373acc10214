"""Addresses of the pages. Things are named by name."""

from django.urls import path

from ownership.pages import home

app_name = "pages"
urlpatterns = [
    path("", home.HomePage.as_view(), name="home"),
]
