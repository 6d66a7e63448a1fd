/* The constant parts of the HTML page (html_page.c). */
#ifndef PTOP_EXPORT_HTML_H
#define PTOP_EXPORT_HTML_H

extern const char html_head[]; /* up to and without <title> */
extern const char html_body[]; /* controls and canvas; the header is open before it */
extern const char html_script[];

#endif
