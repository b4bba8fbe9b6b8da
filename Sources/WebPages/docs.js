"use strict";

// Shows /openapi.json, with a form for each route. Everything goes into the page as text, never as markup.

/** What any route may answer: said once, at the top. */
const ANYWHERE = ["413", "414", "421"];

/** An element with attributes and children; texts become text. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** What a schema allows, in a few words. */
function phrase(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map((one) => (one.type === "null" ? "null" : phrase(one))).join(" or ");
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return `list of ${phrase(schema.items)}`;
  if (schema.minimum !== undefined && schema.maximum !== undefined) return `${schema.minimum} to ${schema.maximum}`;
  return schema.format || schema.type;
}

function table(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell))));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

/** The keys of an answer, those of objects in it after them. */
function fields(schema, schemas, seen = new Set()) {
  const name = (schema.$ref || "").split("/").pop();
  if (!name) {
    return (schema.anyOf || [schema.items]).filter(Boolean).flatMap((inner) => fields(inner, schemas, seen));
  }
  if (seen.has(name)) return [];
  seen.add(name);
  const properties = Object.entries(schemas[name].properties || {});
  const rows = properties.map(([key, value]) => [key, phrase(value), value.description || ""]);
  return [
    element("h4", {}, name),
    table(["key", "value", ""], rows),
    ...properties.flatMap(([, value]) => fields(value, schemas, seen)),
  ];
}

function tryForm(path, method, operation) {
  const inputs = new Map();
  const output = element("pre", { hidden: "", tabindex: "0", "aria-live": "polite" });
  const form = element("form", { class: "try" });
  for (const parameter of operation.parameters || []) {
    const input = element("input", { name: parameter.name, placeholder: String(parameter.schema.default ?? "") });
    if (parameter.required) input.required = true;
    inputs.set(parameter, input);
    form.append(element("label", {}, parameter.name, input));
  }
  form.append(element("button", { type: "submit" }, "Try it"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(path, method, inputs, output);
  });
  return [form, output];
}

async function send(path, method, inputs, output) {
  let target = path;
  const query = new URLSearchParams();
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") {
      target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    } else if (input.value !== "") {
      // Several values of a list, separated by commas.
      const values = parameter.schema.type === "array" ? input.value.split(",") : [input.value];
      for (const value of values) query.append(parameter.name, value);
    }
  }
  if ([...query].length) target += `?${query}`;
  const headers = {};
  const token = document.getElementById("token").value;
  if (token) headers.Authorization = `Bearer ${token}`;
  output.hidden = false;
  output.textContent = `${method.toUpperCase()} ${target} …`;
  try {
    const answer = await fetch(target, { method, headers });
    const show = (text) => {
      output.textContent = `${method.toUpperCase()} ${target}\n${answer.status} ${answer.statusText}\n\n${text}`;
    };
    const type = answer.headers.get("Content-Type") || "";
    if (type.startsWith("text/event-stream")) await showEvents(answer, show);
    else show(pretty(await answer.text(), type));
  } catch (error) {
    output.textContent += `\n${error}`;
  }
}

function pretty(text, type) {
  if (!type.includes("json")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The first events of a stream. */
async function showEvents(answer, show) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  const end = Date.now() + 10000;
  let text = "";
  while (Date.now() < end) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
    show(text);
  }
  reader.cancel();
}

function route(path, method, operation, schemas) {
  const id = `${method}${path}`.replace(/[^a-z0-9]+/gi, "-");
  const title = element("h3", {}, element("span", { class: "method" }, method.toUpperCase()), ` ${path}`);
  const card = element("section", { class: "route", id }, title, element("p", {}, operation.summary));
  const parameters = operation.parameters || [];
  if (parameters.length) {
    const rows = parameters.map((parameter) => [
      parameter.name, phrase(parameter.schema), String(parameter.schema.default ?? ""), parameter.description || "",
    ]);
    card.append(element("h4", {}, "Parameters"), table(["name", "value", "default", ""], rows));
  }
  const answers = Object.entries(operation.responses).filter(([status]) => !ANYWHERE.includes(status));
  const rows = answers.map(([status, answer]) => [
    status, Object.keys(answer.content || {}).join(", "), answer.description,
  ]);
  card.append(element("h4", {}, "Answers"), table(["status", "type", ""], rows));
  const schema = Object.values(answers[0][1].content || {})[0]?.schema;
  if (schema) {
    const details = element("details", {}, element("summary", {}, "Keys"), ...fields(schema, schemas));
    card.append(details);
  }
  card.append(...tryForm(path, method, operation));
  return { id, card, link: element("a", { href: `#${id}` }, `${method.toUpperCase()} ${path}`) };
}

function show(api) {
  document.getElementById("version").textContent = api.info.version;
  const main = document.getElementById("routes");
  const contents = element("ul");
  main.replaceChildren();
  const sections = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const made = route(path, method, operation, api.components.schemas);
      const tag = operation.tags[0];
      if (!sections.has(tag)) sections.set(tag, element("div", {}, element("h2", {}, tag)));
      sections.get(tag).append(made.card);
      contents.append(element("li", {}, made.link));
    }
  }
  main.append(...sections.values());
  document.getElementById("contents").replaceChildren(contents);
}

document.getElementById("access").addEventListener("submit", (event) => event.preventDefault());
fetch("/openapi.json")
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => {
    document.getElementById("routes").textContent = `The description could not be loaded: ${error}`;
  });
