/**
 * Photos given to this browser, by their hash.
 *
 * The address bar can name a photo but not hold it: the photo itself stays in IndexedDB, so that reload, back and
 * forward work. Only the latest ones are kept.
 */

import { useEffect, useState } from "react";

const DATABASE = "lookalike";
const STORE = "uploads";
const MOST_KEPT = 40;

interface Kept {
  hash: string;
  file: Blob;
  name: string;
  time: number;
}

/** A photo as the address names it: still being looked up, here, or gone from this browser. */
export type Upload = { state: "looking" } | { state: "gone" } | { state: "here"; file: File; url: string };

const inMemory = new Map<string, Extract<Upload, { state: "here" }>>();

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "hash" }).createIndex("time", "time");
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function remember(hash: string, file: File): Extract<Upload, { state: "here" }> {
  const there = inMemory.get(hash);
  if (there) return there;
  const here = { state: "here", file, url: URL.createObjectURL(file) } as const;
  inMemory.set(hash, here);
  return here;
}

/** SHA-256 where the browser offers it; it does not on plain http to another machine, and there any unique name does. */
async function nameOf(file: File): Promise<string> {
  const hex = (data: Uint8Array) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const subtle = (crypto as Partial<Crypto>).subtle;
  if (!subtle) return hex(crypto.getRandomValues(new Uint8Array(16)));
  return hex(new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer())).slice(0, 16));
}

/** Keep a photo; its name in the address. Where the browser refuses to store it, it is there until the page is left. */
export async function keepUpload(file: File): Promise<string> {
  const hash = await nameOf(file);
  remember(hash, file);
  try {
    const opened = await database();
    const store = opened.transaction(STORE, "readwrite").objectStore(STORE);
    const kept: Kept = { hash, file, name: file.name, time: Date.now() };
    await settled(store.put(kept));
    const byAge = await settled(store.index("time").getAllKeys());
    for (const old of byAge.slice(0, Math.max(0, byAge.length - MOST_KEPT))) store.delete(old);
    opened.close();
  } catch (refused) {
    console.warn("this browser does not keep the photo", refused);
  }
  return hash;
}

export async function findUpload(hash: string): Promise<Upload> {
  const there = inMemory.get(hash);
  if (there) return there;
  try {
    const opened = await database();
    const kept = (await settled(opened.transaction(STORE).objectStore(STORE).get(hash))) as Kept | undefined;
    opened.close();
    return kept ? remember(hash, new File([kept.file], kept.name, { type: kept.file.type })) : { state: "gone" };
  } catch {
    return { state: "gone" };
  }
}

/** Keep no photo any more. */
export async function forgetUploads(): Promise<void> {
  inMemory.clear();
  const opened = await database();
  await settled(opened.transaction(STORE, "readwrite").objectStore(STORE).clear());
  opened.close();
}

/** The photos of some hashes, in their order. */
export function useUploads(hashes: readonly string[]): Upload[] {
  const key = hashes.join(" ");
  const now = () => hashes.map((hash): Upload => inMemory.get(hash) ?? { state: "looking" });
  const [found, setFound] = useState<{ key: string; uploads: Upload[] }>(() => ({ key, uploads: now() }));
  useEffect(() => {
    let current = true;
    void Promise.all(key === "" ? [] : key.split(" ").map(findUpload)).then((uploads) => {
      if (current) setFound({ key, uploads });
    });
    return () => {
      current = false;
    };
  }, [key]);
  return found.key === key ? found.uploads : now();
}
