// What a person does with the console, in a browser, on a new server: in this order, since each check builds on what is there.
import { models } from "./checks/models.mjs";
import { everyPage } from "./checks/pages.mjs";
import { people } from "./checks/people.mjs";
import { tools } from "./checks/tools.mjs";

export const checks = [...models, ...tools, ...people, ...everyPage];
