// Shows the OpenAPI document of this service. Nothing is sent elsewhere: the validator of the vendor is off.
window.addEventListener("DOMContentLoaded", () => {
  SwaggerUIBundle({
    url: "/api/v1/openapi.json",
    domNode: document.getElementById("swagger"),
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    validatorUrl: null,
    withCredentials: false,
  });
});
