/* Cells of the tables. The server writes the text (`<field>_text`), tone and link of a cell next to its raw value;
   a cell shows them. React sets text as text: nothing a webhook carries is ever read as markup. */
(function () {
  "use strict";
  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

  components.Shown = function (props) {
    const data = props.data;
    if (!data) return React.createElement("span", { className: "cell-loading" });
    const field = props.colDef.field;
    const text = data[field + "_text"] !== undefined ? data[field + "_text"] : props.value;
    const tone = data[field + "_tone"];
    const href = data[field + "_href"];
    const under = data[field + "_under"];
    const parts = [];
    if (tone && tone !== "plain") parts.push(React.createElement("span", { className: "pill-dot", key: "dot" }));
    parts.push(text === null || text === undefined ? "" : String(text));
    let shown = React.createElement(
      "span",
      { className: tone ? "pill pill-" + tone : data[field + "_class"] || undefined, title: data[field + "_title"], key: "text" },
      parts
    );
    if (href) {
      shown = React.createElement(
        "a",
        {
          href: href,
          key: "link",
          onClick: function (event) {
            if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
            event.preventDefault();
            window.hookvitalsVisit(href);
          },
        },
        shown
      );
    }
    if (under === undefined) return shown;
    return React.createElement("span", { className: "cell-two" }, [
      shown,
      React.createElement("span", { className: "cell-under", key: "under" }, String(under)),
    ]);
  };
})();
