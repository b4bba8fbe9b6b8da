#include "web_pages.h"

/* A file is one array here, and one line of the table below. */

static const unsigned char dashboard_html[] = {
#embed "dashboard/index.html"
};
static const unsigned char dashboard_css[] = {
#embed "dashboard/dashboard.css"
};
static const unsigned char dashboard_js[] = {
#embed "dashboard/dashboard.js"
};
static const unsigned char dom_js[] = {
#embed "dashboard/dom.js"
};
static const unsigned char format_js[] = {
#embed "dashboard/format.js"
};
static const unsigned char server_js[] = {
#embed "dashboard/server.js"
};
static const unsigned char now_js[] = {
#embed "dashboard/now.js"
};
static const unsigned char circuits_js[] = {
#embed "dashboard/circuits.js"
};
static const unsigned char history_js[] = {
#embed "dashboard/history.js"
};
static const unsigned char plot_js[] = {
#embed "dashboard/plot.js"
};
static const unsigned char nights_js[] = {
#embed "dashboard/nights.js"
};
static const unsigned char service_js[] = {
#embed "dashboard/service.js"
};
static const unsigned char meters_js[] = {
#embed "dashboard/meters.js"
};
static const unsigned char delivery_js[] = {
#embed "dashboard/delivery.js"
};
static const unsigned char docs_html[] = {
#embed "docs.html"
};
static const unsigned char docs_css[] = {
#embed "docs.css"
};
static const unsigned char docs_js[] = {
#embed "docs.js"
};
static const unsigned char icon_svg[] = {
#embed "icon.svg"
};
/* Debian's libjs-chart.js. Without it the dashboard has tables and no charts, and says so. */
#if __has_embed("/usr/share/javascript/chart.js/chart.min.js")
#define HAS_CHART
static const unsigned char chart_js[] = {
#embed "/usr/share/javascript/chart.js/chart.min.js"
};
#endif

static const char html[] = "text/html; charset=utf-8";
static const char css[] = "text/css; charset=utf-8";
static const char javascript[] = "text/javascript; charset=utf-8";
static const char svg[] = "image/svg+xml";

static const web_page pages[] = {
    {"/", html, dashboard_html, sizeof dashboard_html},
    {"/assets/dashboard.css", css, dashboard_css, sizeof dashboard_css},
    {"/assets/dashboard.js", javascript, dashboard_js, sizeof dashboard_js},
    {"/assets/dashboard/dom.js", javascript, dom_js, sizeof dom_js},
    {"/assets/dashboard/format.js", javascript, format_js, sizeof format_js},
    {"/assets/dashboard/server.js", javascript, server_js, sizeof server_js},
    {"/assets/dashboard/now.js", javascript, now_js, sizeof now_js},
    {"/assets/dashboard/circuits.js", javascript, circuits_js, sizeof circuits_js},
    {"/assets/dashboard/history.js", javascript, history_js, sizeof history_js},
    {"/assets/dashboard/plot.js", javascript, plot_js, sizeof plot_js},
    {"/assets/dashboard/nights.js", javascript, nights_js, sizeof nights_js},
    {"/assets/dashboard/service.js", javascript, service_js, sizeof service_js},
    {"/assets/dashboard/meters.js", javascript, meters_js, sizeof meters_js},
    {"/assets/dashboard/delivery.js", javascript, delivery_js, sizeof delivery_js},
    {"/docs", html, docs_html, sizeof docs_html},
    {"/assets/docs.css", css, docs_css, sizeof docs_css},
    {"/assets/docs.js", javascript, docs_js, sizeof docs_js},
    {"/assets/icon.svg", svg, icon_svg, sizeof icon_svg},
#ifdef HAS_CHART
    {"/assets/chart.js", javascript, chart_js, sizeof chart_js},
#endif
};

size_t web_page_count(void) { return sizeof pages / sizeof *pages; }

web_page web_page_at(size_t index) {
    return index < web_page_count() ? pages[index] : (web_page){0};
}
