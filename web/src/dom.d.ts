import "react";

declare module "react" {
  // Every browser has it; React's types do not.
  interface InputHTMLAttributes<T> {
    webkitdirectory?: string;
  }
}
