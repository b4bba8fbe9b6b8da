#include "web_pages.h"

/* A file is one array here, and one line of the table below. */

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
/* Debian's libjs-chart.js. */
static const unsigned char chart_js[] = {
#embed "/usr/share/javascript/chart.js/chart.min.js"
};

static const char html[] = "text/html; charset=utf-8";
static const char css[] = "text/css; charset=utf-8";
static const char javascript[] = "text/javascript; charset=utf-8";
static const char svg[] = "image/svg+xml";

static const web_page pages[] = {
    {"/docs", html, docs_html, sizeof docs_html},
    {"/assets/docs.css", css, docs_css, sizeof docs_css},
    {"/assets/docs.js", javascript, docs_js, sizeof docs_js},
    {"/assets/icon.svg", svg, icon_svg, sizeof icon_svg},
    {"/assets/chart.js", javascript, chart_js, sizeof chart_js},
};

size_t web_page_count(void) { return sizeof pages / sizeof *pages; }

web_page web_page_at(size_t index) {
    return index < web_page_count() ? pages[index] : (web_page){0};
}
